// The function's input: the settings of the platform team for all claims.
import schema from '../../schemas/input.schema.json' with { type: 'json' }
import type { Finding } from '../claim/findings.ts'
import type { Environment, Size } from '../claim/generated/types.ts'
import type { Schema } from '../claim/schema.ts'
import { compileValidator, type Validate } from '../claim/validate.ts'
import { isObject, type Json, type JsonObject } from '../kubernetes/json.ts'
import { merge } from '../kubernetes/merge.ts'
import { type Defaults, environments, type ResourceRequirements, sizes } from './defaults.ts'

export interface Features {
  readonly knativeInitContainers: boolean
  readonly knativeInitialScaleZero: boolean
  readonly knativeEmptyDir: boolean
  /** The cloud in which pods can have an identity. */
  readonly identity?: Cloud
  readonly prometheusAnnotations: boolean
}

export type Cloud = 'GCP' | 'AWS' | 'Azure'

export interface NatsServer {
  readonly url: string
  readonly monitoringEndpoint: string
  readonly account?: string
  readonly accountID?: string
  readonly useHttps?: boolean
}

export interface Platform {
  readonly composeAs: 'Native' | 'ProviderKubernetes'
  readonly providerConfig: string
  readonly features: Features
  /** Standard: what lets a Deployment survive the drain of a node and a rollout. */
  readonly availability: 'Standard' | 'None'
  /** The NATS servers that a claim can name. */
  readonly natsServers: Readonly<Record<string, NatsServer>>
  /** The PriorityClass of each priority. */
  readonly priorities: Readonly<Partial<Record<string, string>>>
  readonly defaults: Defaults
  /** The defaults of each environment: the platform's own before the built-in preset. */
  readonly environments: Readonly<Record<Environment, readonly Defaults[]>>
  readonly sizes: Readonly<Record<Size, ResourceRequirements>>
}

export type ParsedPlatform =
  | { readonly ok: true; readonly platform: Platform }
  | { readonly ok: false; readonly findings: readonly Finding[] }

let compiled: Validate | undefined
/** Compiled on the first use, because the command line usually has no input. */
const validateInput: Validate = input => {
  compiled ??= compileValidator(schema as Schema)
  return compiled(input)
}

const environmentLayers = (own: Partial<Record<Environment, Defaults>> = {}): Platform['environments'] => {
  const layers = (environment: Environment) => [own[environment] ?? {}, environments[environment]]
  return { development: layers('development'), staging: layers('staging'), production: layers('production') }
}

/** The platform settings without any input. */
export const builtInPlatform: Platform = {
  composeAs: 'Native',
  providerConfig: 'default',
  features: { knativeInitContainers: false, knativeInitialScaleZero: false, knativeEmptyDir: true, prometheusAnnotations: false },
  availability: 'Standard',
  natsServers: {},
  priorities: {},
  defaults: {},
  environments: environmentLayers(),
  sizes,
}

export function parsePlatform(input: Json | undefined): ParsedPlatform {
  if (input === undefined || (isObject(input) && Object.keys(input).length === 0)) return { ok: true, platform: builtInPlatform }
  const { value, findings } = validateInput(input)
  if (findings.length > 0) return { ok: false, findings }
  const { environments: own, ...said } = value as JsonObject
  const { environments: _, ...rest } = builtInPlatform
  const platform = merge(said, rest as unknown as JsonObject) as unknown as Platform
  return { ok: true, platform: { ...platform, environments: environmentLayers(own as Parameters<typeof environmentLayers>[0]) } }
}
