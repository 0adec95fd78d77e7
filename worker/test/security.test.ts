// Logins as the claim describes them: spec.nats.credentials and spec.nats.tls.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect } from 'vitest'
import { createAuthority, issueCertificate } from '../../scripts/certificates.ts'
import { createAccounts } from '../../test/e2e/cluster/nats-accounts.ts'
import { testWith } from '../../test/fixtures/require-program.ts'
import { connectionOptions } from '../src/connection.ts'
import { readSettings } from '../src/settings.ts'
import { connectClient, createStream, type NatsServer, startNats } from './fixtures/nats-server.ts'
import { envOf, start, stopWorkers } from './fixtures/worker.ts'

const test = testWith('nats-server')

const folder = mkdtempSync(join(tmpdir(), 'security-'))
const servers: NatsServer[] = []
afterEach(stopWorkers)
afterAll(async () => {
  await Promise.all(servers.map(server => server.remove()))
  rmSync(folder, { recursive: true, force: true })
})

const file = (name: string, content: string) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('logs in with credentials over TLS, with a client certificate', async () => {
  const accounts = createAccounts('SHOP')
  const authority = createAuthority({ commonName: 'ca' })
  const own = issueCertificate(authority, { dnsNames: ['localhost'], usages: ['server'], commonName: 'nats' })
  const client = issueCertificate(authority, { usages: ['client'], commonName: 'worker' })
  const files = {
    NATS_CREDS: file('user.creds', accounts.credentials),
    NATS_CA: file('ca.crt', authority.certificate),
    NATS_CERT: file('tls.crt', client.certificate),
    NATS_KEY: file('tls.key', client.key),
  }
  const tls = `tls { cert_file: "${file('server.crt', own.certificate)}", key_file: "${file('server.key', own.key)}", ca_file: "${files.NATS_CA}", verify: true }`
  const nats = { NATS_URL: 'nats://unused', NATS_STREAM_NAME: 'T', NATS_CONSUMER_GROUP: 'workers' }
  const { servers: _, ...login } = connectionOptions(readSettings({ ...nats, ...files }).nats as never, 'test')
  const server = await startNats({ configuration: `${accounts.configuration}\n${tls}`, client: login })
  servers.push(server)
  const to = await connectClient(server, login)
  await createStream(to, 'T')
  const env = { ...envOf(server, 'T'), ...files }

  const seen: unknown[] = []
  await start({ env, handler: ({ data }) => void seen.push(data) })
  await to.js.publish('t.new', '"secret"')
  await expect.poll(() => seen).toEqual(['secret'])

  const without = await start({ env: { ...env, NATS_CREDS: undefined }, handler: () => undefined })
  await expect.poll(() => without.worker.problem()).toMatch(/refuses the login: set spec\.nats\.credentials/)
  const other = createAccounts('OTHER')
  const wrong = await start({ env: { ...env, NATS_CREDS: file('other.creds', other.credentials) }, handler: () => undefined })
  await expect.poll(() => wrong.worker.problem()).toMatch(/refuses the login: check the credentials in .*other\.creds/)
  const stranger = file('stranger.crt', createAuthority({ commonName: 'stranger' }).certificate)
  const untrusting = await start({ env: { ...env, NATS_CA: stranger }, handler: () => undefined })
  await expect.poll(() => untrusting.worker.problem()).toMatch(/no TLS connection.*spec\.nats\.tls/)
  await to.nc.close()
})
