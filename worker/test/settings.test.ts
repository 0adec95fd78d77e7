import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { milliseconds } from '../src/errors.ts'
import { kv, SetupError, serve } from '../src/index.ts'
import { readSettings } from '../src/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'settings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string) => {
  const path = join(folder, name)
  writeFileSync(path, '')
  return path
}

const nats = { NATS_URL: 'nats://a:4222, nats://b:4222', NATS_STREAM_NAME: 'ORDERS', NATS_CONSUMER_GROUP: 'workers' }

test('reads what the claim sets', () => {
  expect(
    readSettings({
      ...nats,
      PORT: '9000',
      CONCURRENCY: '4',
      MAX_PROCESSING_SECONDS: '900',
      OTEL_SERVICE_NAME: 'orders',
      OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=shop,service.version=1.4.2',
    }),
  ).toEqual({
    service: 'orders',
    namespace: 'shop',
    version: '1.4.2',
    port: 9000,
    concurrency: 4,
    maxProcessingMs: 900_000,
    finishMs: 920_000,
    nats: { servers: ['nats://a:4222', 'nats://b:4222'], stream: 'ORDERS', consumer: 'workers' },
  })
})

test('has defaults for everything but NATS', () =>
  expect(readSettings({})).toEqual({ service: 'worker', port: 8080, concurrency: 1, finishMs: 20_000 }))

test('takes the certificate only if the secret has one', () => {
  const [ca, cert, key] = [file('ca.crt'), file('tls.crt'), file('tls.key')]
  const none = join(folder, 'none')
  expect(readSettings({ ...nats, NATS_CA: ca, NATS_CERT: none, NATS_KEY: none }).nats).not.toHaveProperty('certificate')
  expect(readSettings({ ...nats, NATS_CA: ca, NATS_CERT: cert, NATS_KEY: key }).nats).toMatchObject({ ca, certificate: cert, key })
})

describe('says what is missing, and which field sets it', () => {
  test.each([
    { env: { ...nats, NATS_STREAM_NAME: undefined }, says: /NATS_STREAM_NAME is missing: spec\.nats\.stream of the claim/ },
    { env: { NATS_STREAM_NAME: 'A' }, says: /NATS_URL is missing: spec\.nats\.url.*NATS_CONSUMER_GROUP is missing: spec\.nats\.consumer/ },
    { env: { CONCURRENCY: '0' }, says: /CONCURRENCY must be a whole number of at least 1, got '0' \(spec\.processing\.concurrency/ },
    { env: { MAX_PROCESSING_SECONDS: '1m' }, says: /MAX_PROCESSING_SECONDS must .*spec\.processing\.maxDuration/ },
    { env: { PORT: 'http' }, says: /PORT must .*spec\.httpPort/ },
    { env: { ...nats, NATS_CREDS: '/none' }, says: /NATS_CREDS names \/none, which does not exist: the secret of spec\.nats\.credentials/ },
    { env: { ...nats, NATS_CA: '/none' }, says: /NATS_CA names \/none.*spec\.nats\.tls/ },
    { env: { ...nats, NATS_CERT: file('only.crt') }, says: /only one file exists.*spec\.nats\.tls/ },
  ])('$says', async ({ env, says }) => {
    expect(() => readSettings(env)).toThrow(SetupError)
    await expect(serve({ env, handler: () => undefined, signals: false })).rejects.toThrow(says)
  })

  test('idempotency needs NATS', () =>
    expect(serve({ env: {}, handler: () => undefined, idempotency: kv('seen') })).rejects.toThrow(/idempotency needs NATS: set spec\.nats/))

  test('concurrency must be positive', () =>
    expect(serve({ env: {}, handler: () => undefined, concurrency: 0 })).rejects.toThrow(/concurrency must be/))
})

test.each([
  { duration: 5, is: 5 },
  { duration: '5ms', is: 5 },
  { duration: '1.5s', is: 1500 },
  { duration: '2m', is: 120_000 },
  { duration: '1h', is: 3_600_000 },
  { duration: '1d', is: 86_400_000 },
] as const)('$duration is $is ms', ({ duration, is }) => expect(milliseconds(duration)).toBe(is))

test('a duration without a unit is refused', () => expect(() => milliseconds('5' as '5s')).toThrow(/such as 30s/))
