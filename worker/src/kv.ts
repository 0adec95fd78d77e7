import { type Duration, milliseconds } from './errors.ts'

/** A KV bucket of JetStream. */
export interface KvIdempotency {
  readonly bucket: string
  readonly ttlMs: number
  readonly replicas: number
}

/** Remembers events by source and id for `ttl`. The bucket is created if it does not exist. */
export const kv = (
  bucket: string,
  { ttl = '1d', replicas = 1 }: { readonly ttl?: Duration; readonly replicas?: number } = {},
): KvIdempotency => {
  if (!/^[A-Za-z0-9_-]+$/.test(bucket))
    throw new TypeError(`the name of a bucket must consist of letters, digits, _ and -, got '${bucket}'`)
  return { bucket, ttlMs: milliseconds(ttl), replicas }
}
