// Remembers handled events in a KV bucket, so that an event that arrives twice is handled once.
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JetStreamClient } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { CloudEvent } from './cloudevents/event.ts'
import type { KvIdempotency } from './kv.ts'

/** The right to handle an event. While it is held, no other worker gets it. */
export interface Lease {
  /** Nobody will handle the event again. Resolves once this is stored. */
  readonly finish: (signal: AbortSignal) => Promise<void>
  /** Others may handle the event at once. */
  readonly release: () => Promise<void>
}

export interface Idempotency {
  /** Waits while another worker handles the event. Undefined if it has been handled. */
  readonly begin: (event: CloudEvent, signal: AbortSignal) => Promise<Lease | undefined>
}

/** A worker that was killed holds its events for this long. */
export const LEASE_MS = 15_000
const POLL_MS = 500
const RETRY_MS = 250

const DONE = 'done'

/** Opens the bucket. */
export async function openIdempotency(js: JetStreamClient, { bucket, ttlMs, replicas }: KvIdempotency): Promise<Idempotency> {
  const store = await new Kvm(js).create(bucket, { ttl: ttlMs, replicas, history: 1 })
  const self = randomUUID()
  return {
    begin: async (event, signal) => {
      const key = createHash('sha256').update(`${event.source}\n${event.id}`).digest('base64url')
      for (;;) {
        const revision = await acquire(store, key, self)
        if (revision === DONE) return undefined
        if (revision !== undefined) return hold(store, key, self, revision)
        await sleep(POLL_MS, undefined, { signal })
      }
    },
  }
}

const running = (self: string) => JSON.stringify({ by: self, until: Date.now() + LEASE_MS })

/** The revision of the lease, DONE, or undefined if another worker holds it. */
async function acquire(store: KV, key: string, self: string): Promise<number | typeof DONE | undefined> {
  const entry = await store.get(key)
  const value = entry?.operation === 'PUT' ? entry.string() : ''
  if (value === DONE) return DONE
  if (value !== '' && (JSON.parse(value) as { readonly until: number }).until > Date.now()) return undefined
  try {
    return entry === null ? await store.create(key, running(self)) : await store.update(key, running(self), entry.revision)
  } catch (error) {
    if (isTaken(error)) return undefined
    throw error
  }
}

/** Another worker was faster: https://docs.nats.io/reference/reference-protocols/nats_api_reference, code 10071. */
const isTaken = (error: unknown) => error instanceof Error && 'code' in error && error.code === 10071

function hold(store: KV, key: string, self: string, first: number): Lease {
  let revision = first
  let busy: Promise<unknown> = Promise.resolve()
  /** One write after the other, because each needs the revision of the last. */
  const write = (value: () => string): Promise<void> => {
    const written = busy.then(async () => {
      revision = await store.update(key, value(), revision)
    })
    busy = written.catch(() => undefined)
    return written
  }
  const renewal = setInterval(() => void write(() => running(self)).catch(() => undefined), LEASE_MS / 3)
  renewal.unref()
  return {
    finish: async signal => {
      clearInterval(renewal)
      await busy
      while (!signal.aborted)
        try {
          // Whatever the revision: the event has been handled.
          await store.put(key, DONE)
          return
        } catch {
          await sleep(RETRY_MS)
        }
    },
    release: async () => {
      clearInterval(renewal)
      await write(() => JSON.stringify({ by: self, until: 0 })).catch(() => undefined)
    },
  }
}
