// The connection to NATS, which is never given up.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Authenticator, type ConnectionOptions, connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { reasonOf } from './errors.ts'
import type { NatsSettings } from './settings.ts'

const RETRY_MS = 1000
/** Two lost pings find a connection that was cut without a word, within the default ack_wait of 30 s. */
const PING_MS = 10_000

export function connectionOptions(nats: NatsSettings, name: string): ConnectionOptions {
  const { servers, credentials, ca, certificate, key } = nats
  return {
    servers: [...servers],
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    pingInterval: PING_MS,
    maxPingOut: 2,
    // Credentials may be renewed while they are refused.
    ignoreAuthErrorAbort: true,
    ...(credentials !== undefined && { authenticator: fromFile(credentials) }),
    ...((ca !== undefined || certificate !== undefined) && {
      tls: {
        ...(ca !== undefined && { caFile: ca }),
        ...(certificate !== undefined && { certFile: certificate }),
        ...(key !== undefined && { keyFile: key }),
      },
    }),
  }
}

/** Reads the file at each login, because Kubernetes renews it. */
const fromFile =
  (path: string): Authenticator =>
  nonce =>
    credsAuthenticator(readFileSync(path))(nonce)

/** Tries until it works, and reports each new problem. Undefined if the signal ends it. */
export async function connectUntil(
  nats: NatsSettings,
  name: string,
  { report, signal }: { readonly report: (problem: string) => void; readonly signal: AbortSignal },
): Promise<NatsConnection | undefined> {
  while (!signal.aborted) {
    try {
      return await connect(connectionOptions(nats, name))
    } catch (error) {
      report(explain(error, nats))
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
  return undefined
}

function explain(error: unknown, { servers, credentials }: NatsSettings): string {
  const reason = describe(error)
  const where = servers.join(', ')
  if (/authorization|authentication|nonce/i.test(reason)) {
    const hint =
      credentials === undefined
        ? 'set spec.nats.credentials of the claim'
        : `check the credentials in ${credentials} (spec.nats.credentials)`
    return `NATS at ${where} refuses the login: ${hint}`
  }
  if (/certificate|tls|ssl|self-signed/i.test(reason))
    return `no TLS connection to NATS at ${where}: ${reason} (spec.nats.tls of the claim)`
  return `cannot connect to NATS at ${where}: ${reason} (spec.nats.url of the claim)`
}

function describe(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const parts = [
    reasonOf(error),
    ...(cause === undefined ? [] : [reasonOf(cause)]),
    ...(cause instanceof AggregateError ? cause.errors.map(reasonOf) : []),
  ]
  return [...new Set(parts)].filter(part => part !== '').join(': ')
}
