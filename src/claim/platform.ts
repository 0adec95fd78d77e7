// The function's input: what the platform team says once for every claim.
import schema from '../../schemas/input.schema.json' with { type: 'json' }
import type { Finding } from '../findings.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { type Defaults, environments, type ResourceRequirements, sizes } from './defaults.ts'
import type { Environment, Size } from './generated/types.ts'
import type { Schema } from './schema.ts'
import { merge, validator } from './validate.ts'

export interface Platform {
  readonly composeAs: 'Native' | 'ProviderKubernetes'
  readonly providerConfig: string
  readonly features: { readonly knativeInitContainers: boolean }
  readonly defaults: Defaults
  readonly environments: Readonly<Record<Environment, Defaults>>
  readonly sizes: Readonly<Record<Size, ResourceRequirements>>
}

export type ParsedPlatform =
  | { readonly ok: true; readonly platform: Platform }
  | { readonly ok: false; readonly findings: readonly Finding[] }

const check = validator(schema as Schema)

/** The platform as it is without any input. */
export const builtInPlatform: Platform = {
  composeAs: 'Native',
  providerConfig: 'default',
  features: { knativeInitContainers: false },
  defaults: {},
  environments,
  sizes,
}

export function parsePlatform(input: Json | undefined): ParsedPlatform {
  if (input === undefined || (isObject(input) && Object.keys(input).length === 0)) return { ok: true, platform: builtInPlatform }
  const { value, findings } = check(input)
  if (findings.length > 0) return { ok: false, findings }
  return { ok: true, platform: merge(value as JsonObject, builtInPlatform as unknown as JsonObject) as unknown as Platform }
}
