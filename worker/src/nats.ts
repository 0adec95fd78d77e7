// Everything that needs the libraries of NATS. Workers without NATS never load it, which saves 4 MB and time to start.
import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { connectUntil } from './connection.ts'
import { type Idempotency, openIdempotency } from './idempotency.ts'
import { type JetStreamInput, type JetStreamOptions, startJetStream } from './jetstream.ts'
import type { KvIdempotency } from './kv.ts'
import { createPublish } from './publish.ts'

export interface Nats {
  readonly nc: NatsConnection
  readonly openIdempotency: (bucket: KvIdempotency) => Promise<Idempotency>
  readonly createPublish: (...args: DropFirst<Parameters<typeof createPublish>>) => ReturnType<typeof createPublish>
  readonly receive: (options: Omit<JetStreamOptions, 'nats' | 'nc' | 'js' | 'jsm'>) => Promise<JetStreamInput>
}

type DropFirst<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest] ? Rest : never

/** Undefined if the signal ends it before there is a connection. */
export async function openNats(...[nats, name, options]: Parameters<typeof connectUntil>): Promise<Nats | undefined> {
  const nc = await connectUntil(nats, name, options)
  if (nc === undefined) return undefined
  const js: JetStreamClient = jetstream(nc)
  return {
    nc,
    openIdempotency: bucket => openIdempotency(js, bucket),
    createPublish: (cause, publishOptions) => createPublish(js, cause, publishOptions),
    // Answers of the API are checked where they are used.
    receive: async input => startJetStream({ ...input, nats, nc, js, jsm: await jetstreamManager(nc, { checkAPI: false }) }),
  }
}
