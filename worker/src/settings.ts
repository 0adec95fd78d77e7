// What the claim injects: https://github.com/bizmatters/event-driven-service/blob/main/docs/workers.md
import { existsSync } from 'node:fs'
import { SetupError } from './errors.ts'

/** Variables, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>

export interface NatsSettings {
  readonly servers: readonly string[]
  readonly stream: string
  readonly consumer: string
  /** Paths of files that exist. */
  readonly credentials?: string
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
}

export interface Settings {
  /** The name of the claim. */
  readonly service: string
  readonly version?: string
  readonly namespace?: string
  readonly port: number
  readonly concurrency: number
  /** How long a handler may take; undefined without a limit. */
  readonly maxProcessingMs?: number
  /** How long handlers may run on after SIGTERM. */
  readonly finishMs: number
  readonly nats?: NatsSettings
}

const PORT = 8080
/** The grace period is `processing.maxDuration` plus this. */
const GRACE_SECONDS = 30
/** A pod that receives requests pauses before SIGTERM, and the pause is part of the grace period. */
const PAUSE_SECONDS = 5
/** To put back what has not finished, and to exit. */
const EXIT_SECONDS = 5

const natsFields = {
  NATS_URL: 'spec.nats.url or spec.nats.server',
  NATS_STREAM_NAME: 'spec.nats.stream',
  NATS_CONSUMER_GROUP: 'spec.nats.consumer',
} as const

/** Reads and checks the environment. Throws a SetupError with every problem. */
export function readSettings(env: Environment): Settings {
  const problems: string[] = []
  const attributes = new Map(
    (env.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',').map(pair => pair.split('=', 2) as [string, string | undefined]),
  )
  const version = env.OTEL_SERVICE_VERSION ?? attributes.get('service.version')
  const namespace = attributes.get('service.namespace')
  const integer = (name: string, field: string, least: number): number | undefined => {
    const text = env[name]
    if (text === undefined || text === '') return undefined
    if (/^\d+$/.test(text) && Number(text) >= least) return Number(text)
    problems.push(`${name} must be a whole number of at least ${least}, got '${text}' (${field} of the claim sets it)`)
    return undefined
  }
  const maxSeconds = integer('MAX_PROCESSING_SECONDS', 'spec.processing.maxDuration', 1)
  const nats = readNats(env, problems)
  const settings: Settings = {
    service: env.OTEL_SERVICE_NAME ?? env.K_SERVICE ?? 'worker',
    ...(version !== undefined && { version }),
    ...(namespace !== undefined && { namespace }),
    port: integer('PORT', 'spec.httpPort', 0) ?? PORT,
    concurrency: integer('CONCURRENCY', 'spec.processing.concurrency', 1) ?? 1,
    ...(maxSeconds !== undefined && { maxProcessingMs: maxSeconds * 1000 }),
    finishMs: ((maxSeconds ?? 0) + GRACE_SECONDS - PAUSE_SECONDS - EXIT_SECONDS) * 1000,
    ...(nats && { nats }),
  }
  if (problems.length > 0) throw new SetupError(`the worker cannot start: ${problems.join('; ')}`)
  return settings
}

/** Undefined without any of the three variables: work then arrives over HTTP. */
function readNats(env: Environment, problems: string[]): NatsSettings | undefined {
  const names = Object.keys(natsFields) as readonly (keyof typeof natsFields)[]
  const missing = names.filter(name => !env[name])
  if (missing.length === names.length) return undefined
  for (const name of missing) problems.push(`${name} is missing: ${natsFields[name]} of the claim sets it`)
  const { NATS_URL: url = '', NATS_STREAM_NAME: stream = '', NATS_CONSUMER_GROUP: consumer = '', NATS_CREDS: credentials } = env
  if (credentials !== undefined && !existsSync(credentials))
    problems.push(`NATS_CREDS names ${credentials}, which does not exist: the secret of spec.nats.credentials has no such key`)
  const { NATS_CA: ca, NATS_CERT: certificate, NATS_KEY: key } = env
  if (ca !== undefined && !existsSync(ca))
    problems.push(`NATS_CA names ${ca}, which does not exist: the secret of spec.nats.tls has no key ca.crt`)
  // The claim names these two files even if the secret has none.
  const ownCertificate = certificate !== undefined && existsSync(certificate) ? certificate : undefined
  const ownKey = key !== undefined && existsSync(key) ? key : undefined
  if ((ownCertificate === undefined) !== (ownKey === undefined))
    problems.push('of NATS_CERT and NATS_KEY only one file exists: the secret of spec.nats.tls must have tls.crt and tls.key, or neither')
  return {
    servers: url.split(',').map(server => server.trim()),
    stream,
    consumer,
    ...(credentials !== undefined && { credentials }),
    ...(ca !== undefined && { ca }),
    ...(ownCertificate !== undefined && { certificate: ownCertificate }),
    ...(ownKey !== undefined && { key: ownKey }),
  }
}
