// Fills in the fields of spec.mesh that a claim leaves out.
import type { JsonObject } from '../kubernetes/json.ts'
import { merge } from '../kubernetes/merge.ts'
import type { Platform } from '../platform/platform.ts'
import { seconds } from './duration.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import { isEnabled, type Layer, rank } from './layers.ts'
import type { CircuitBreaker, External, Mesh, Retries } from './resolved-claim.ts'

export type MeshSpec = NonNullable<EventDrivenServiceSpec['mesh']>
type CircuitBreakerSpec = NonNullable<MeshSpec['circuitBreaker']>
type ExternalSpec = NonNullable<MeshSpec['external']>[number]

const ONE_DAY = 86_400

/** Undefined without spec.mesh, and on a platform without a mesh, where a check has refused the claim. */
export function resolveMesh(
  { mesh: asked }: EventDrivenServiceSpec,
  layers: readonly Layer[],
  { mesh: installed }: Platform,
): Mesh | undefined {
  if (asked === undefined || installed === undefined) return undefined
  const layered = merge({}, ...layers.map(({ mesh }) => mesh as JsonObject | undefined)) as unknown as MeshSpec
  const retries = resolveRetries(layered, layers)
  const circuitBreaker = resolveCircuitBreaker(layered.circuitBreaker ?? {}, layers)
  const { hosts = [], canary, callers, jwt, external = [], cors, rateLimit } = asked
  return {
    platform: installed,
    mtls: layered.mtls ?? 'STRICT',
    hosts,
    ...(asked.tlsSecret !== undefined && { tlsSecret: asked.tlsSecret }),
    timeout: timeoutOf(layered, layers),
    ...(retries && { retries }),
    ...(cors && {
      cors: {
        origins: cors.origins,
        methods: cors.methods,
        headers: cors.headers ?? [],
        credentials: cors.credentials ?? false,
        maxAge: cors.maxAge === undefined ? ONE_DAY : seconds(cors.maxAge),
      },
    }),
    ...(canary && {
      canary: { image: canary.image, weight: canary.weight ?? 0, match: canary.match ?? [], replicas: canary.replicas ?? 1 },
    }),
    ...(circuitBreaker && { circuitBreaker }),
    ...(callers && { callers }),
    ...(jwt && {
      jwt: {
        issuer: jwt.issuer,
        jwksUri: jwt.jwksUri,
        audiences: jwt.audiences ?? [],
        required: jwt.required,
        publicPaths: jwt.publicPaths ?? [],
      },
    }),
    external: external.map(resolveExternal),
    egress: layered.egress ?? 'ALLOW_ANY',
    sampling: layered.tracing?.sampling ?? 0,
    accessLogs: layered.accessLogs ?? true,
    ...(rateLimit && { rateLimit: { requests: rateLimit.requests, per: seconds(rateLimit.per) } }),
  }
}

/** The less specific setting yields if one attempt may take longer than the whole request. */
function timesOf({ timeout = '', retries }: MeshSpec, layers: readonly Layer[]): { whole: number; attempt: number } {
  const [whole, attempt] = [seconds(timeout), seconds(retries?.perTryTimeout ?? timeout)]
  if (attempt <= whole) return { whole, attempt }
  const isWholeFirst = rank(layers, ({ mesh }) => mesh?.timeout) <= rank(layers, ({ mesh }) => mesh?.retries?.perTryTimeout)
  return isWholeFirst ? { whole, attempt: whole } : { whole: attempt, attempt }
}

const timeoutOf = (layered: MeshSpec, layers: readonly Layer[]) =>
  isEnabled(layers, ({ mesh }) => mesh?.retries) ? timesOf(layered, layers).whole : seconds(layered.timeout ?? '')

function resolveRetries(layered: MeshSpec, layers: readonly Layer[]): Retries | undefined {
  const { attempts, retryOn } = layered.retries ?? {}
  if (attempts === undefined || retryOn === undefined || !isEnabled(layers, ({ mesh }) => mesh?.retries)) return undefined
  return { attempts, perTryTimeout: timesOf(layered, layers).attempt, on: retryOn }
}

function resolveCircuitBreaker(layered: CircuitBreakerSpec, layers: readonly Layer[]): CircuitBreaker | undefined {
  if (!isEnabled(layers, ({ mesh }) => mesh?.circuitBreaker)) return undefined
  return breakerOf(layered, { errors: 5, interval: '30s', ejection: '30s' })
}

interface Ejection {
  readonly errors: number
  readonly interval: string
  readonly ejection: string
}

const breakerOf = (asked: CircuitBreakerSpec, otherwise: Ejection): CircuitBreaker => ({
  ...(asked.maxConnections !== undefined && { maxConnections: asked.maxConnections }),
  ...(asked.maxPending !== undefined && { maxPending: asked.maxPending }),
  ...(asked.maxRequests !== undefined && { maxRequests: asked.maxRequests }),
  errors: asked.errors ?? otherwise.errors,
  interval: seconds(asked.interval ?? otherwise.interval),
  ejection: seconds(asked.ejection ?? otherwise.ejection),
  ...(asked.maxEjectionPercent !== undefined && { maxEjectionPercent: asked.maxEjectionPercent }),
})

const externalEjection: Ejection = { errors: 3, interval: '30s', ejection: '60s' }

const resolveExternal = ({ host, port, tls, circuitBreaker = {} }: ExternalSpec): External => ({
  host,
  port,
  tls,
  ...(circuitBreaker.enabled !== false && { circuitBreaker: breakerOf(circuitBreaker, externalEjection) }),
})
