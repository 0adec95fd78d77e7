import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, constants } from 'node:http2'
import { join } from 'node:path'
import { type ConnectionOptions, createSecureContext } from 'node:tls'
import { credentials, status } from '@grpc/grpc-js'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createAuthority, type Identity, issueCertificate } from '../../scripts/certificates.ts'
import { serviceNames } from '../../src/function/runner-service.ts'
import {
  as,
  call,
  certificateFolder,
  connectClient,
  counted,
  greet,
  pathOf,
  type Serving,
  serve,
  serverIdentity,
  temporaryFolder,
  throwAt,
} from './serving.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const past = { validFrom: new Date(Date.now() - 7 * DAY_MS), validTo: new Date(Date.now() - DAY_MS) }

const crossplane = createAuthority()
const server = serverIdentity(crossplane)
const core = issueCertificate(crossplane, { usages: ['client'], dnsNames: ['crossplane'] })
const namesake = createAuthority()

/** A build of OpenSSL without these ciphers cannot request them either. */
function isKnown(ciphers: string): boolean {
  try {
    createSecureContext({ ciphers })
    return true
  } catch {
    return false
  }
}

const showing = ({ certificate, key }: Identity): ConnectionOptions => ({ cert: certificate, key })
const fingerprint = ({ certificate }: Identity) => new X509Certificate(certificate).fingerprint256
const secure = (): Promise<Serving> => serve({ certificatesDirectory: certificateFolder(crossplane.certificate, server) })

describe('accepts', () => {
  test('the client certificate that Crossplane issued', async () => {
    const { port } = await secure()
    const { response } = await call(connectClient(port, as(core)), { meta: { tag: 'hello', capabilities: [] } })
    expect(response?.meta?.tag).toBe('hello')
  })

  test.each<{ title: string; options: ConnectionOptions }>([
    { title: 'over TLS 1.3', options: { ...showing(core), minVersion: 'TLSv1.3' } },
    { title: 'over TLS 1.2', options: { ...showing(core), maxVersion: 'TLSv1.2' } },
    {
      title: 'with a certificate that has its own subject and key identifiers',
      options: showing(issueCertificate(crossplane, { usages: ['client'], commonName: 'core', keyIdentifiers: true })),
    },
  ])('$title', async ({ options }) => {
    const { port } = await secure()
    expect((await greet(port, options)).greeted).toBe(true)
  })
})

describe('rejects before HTTP/2', () => {
  test.each<{ title: string; options: ConnectionOptions; reason: string }>([
    { title: 'no certificate', options: {}, reason: 'no-certificate' },
    { title: 'no certificate over TLS 1.2', options: { maxVersion: 'TLSv1.2' }, reason: 'no-certificate' },
    {
      title: 'a self-signed certificate with the same subject',
      options: showing(issueCertificate(undefined, { usages: ['client'] })),
      reason: 'unknown-issuer',
    },
    {
      title: 'a certificate of a foreign CA with the same subject',
      options: showing(issueCertificate(namesake, { usages: ['client'] })),
      reason: 'unknown-issuer',
    },
    { title: 'an expired certificate', options: showing(issueCertificate(crossplane, { usages: ['client'], ...past })), reason: 'expired' },
    {
      title: 'a certificate that is not yet valid',
      options: showing(issueCertificate(crossplane, { usages: ['client'], validFrom: new Date(Date.now() + DAY_MS) })),
      reason: 'not-yet-valid',
    },
    { title: 'a server certificate', options: showing(server), reason: 'not-for-clients' },
    { title: 'the CA itself', options: showing(crossplane), reason: 'certificate-authority' },
    { title: 'a client without ALPN', options: { ...showing(core), ALPNProtocols: [] }, reason: 'not-http2' },
    { title: 'a client that requests HTTP/1.1', options: { ...showing(core), ALPNProtocols: ['http/1.1'] }, reason: 'handshake' },
    {
      title: 'TLS 1.1',
      options: { ...showing(core), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      reason: 'handshake',
    },
    {
      title: 'TLS 1.0',
      options: { ...showing(core), minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      reason: 'handshake',
    },
    ...['NULL', 'aNULL', 'RC4', '3DES', 'MD5', 'EXPORT'].flatMap(weak => {
      const ciphers = `${weak}@SECLEVEL=0`
      return isKnown(ciphers)
        ? [{ title: `ciphers of ${weak}`, options: { ...showing(core), maxVersion: 'TLSv1.2' as const, ciphers }, reason: 'handshake' }]
        : []
    }),
  ])('$title', async ({ options, reason }) => {
    const serving = await secure()
    expect((await greet(serving.port, options)).greeted).toBe(false)
    expect(await counted(serving, 'function_refused_peers_total', { reason })).toBe(1)
    expect(serving.lines).toContainEqual(expect.objectContaining({ peer: '127.0.0.1' }))
    expect((await greet(serving.port, showing(core))).greeted).toBe(true)
  })

  test('plaintext gRPC', async () => {
    const { port } = await secure()
    const { error } = await call(connectClient(port, credentials.createInsecure()))
    expect(error?.code).toBe(status.UNAVAILABLE)
  })

  test.each<{ title: string; first: ConnectionOptions }>([
    { title: 'of an unknown client over TLS 1.3', first: { minVersion: 'TLSv1.3' } },
    { title: 'of an unknown client over TLS 1.2', first: { maxVersion: 'TLSv1.2' } },
    { title: 'of Crossplane over TLS 1.3', first: { ...showing(core), minVersion: 'TLSv1.3' } },
    { title: 'of Crossplane over TLS 1.2', first: { ...showing(core), maxVersion: 'TLSv1.2' } },
  ])('rejects the resumed session $title', async ({ first }) => {
    const { port } = await secure()
    const { sessions } = await greet(port, first)
    for (const session of sessions) {
      const { minVersion, maxVersion } = first
      const again = await greet(port, { ...(minVersion && { minVersion }), ...(maxVersion && { maxVersion }), session })
      expect(again).toMatchObject({ greeted: false, resumed: false })
    }
  })

  test('does not count a connection closed before the handshake, such as a TCP probe, as rejected', async () => {
    const serving = await secure()
    await throwAt(serving.port, Buffer.alloc(0))
    await throwAt(serving.port, Buffer.alloc(100, 0xa5))
    await vi.waitFor(async () => expect(await counted(serving, 'function_refused_peers_total', { reason: 'handshake' })).toBe(1))
  })

  test('survives garbage on the port and keeps accepting clients', async () => {
    const { port } = await secure()
    const hello = Buffer.concat([Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), Buffer.alloc(505, 0xff)])
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(70_000, 0xa5),
      hello,
      hello.subarray(0, 40),
    ]) {
      await throwAt(port, bytes)
    }
    expect((await call(connectClient(port, as(core)))).error).toBeUndefined()
  })
})

/** A secret as the kubelet mounts it: the files are links through one link that is swapped atomically. */
function mountedSecret(files: Record<string, string>) {
  const folder = temporaryFolder()
  let generation = 0
  const swap = (contents: Record<string, string>) => {
    const data = `..${generation++}`
    mkdirSync(join(folder, data))
    for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, data, name), content)
    symlinkSync(data, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  swap(files)
  for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(folder, name))
  return { folder, swap }
}

const files = (bundle: string, { certificate, key }: Identity) => ({ 'ca.crt': bundle, 'tls.crt': certificate, 'tls.key': key })

describe('rotation', () => {
  test('reloads a swapped secret without a restart and disconnects the clients of the old CA', async () => {
    const successor = createAuthority()
    const next = serverIdentity(successor)
    const nextCore = issueCertificate(successor, { usages: ['client'] })
    const { folder, swap } = mountedSecret(files(crossplane.certificate, server))
    const serving = await serve({ certificatesDirectory: folder, certificatePollMs: 10 })
    const { port } = serving
    expect(await greet(port, showing(core))).toMatchObject({ greeted: true, fingerprint: fingerprint(server) })
    const session = connect(`https://127.0.0.1:${port}`, { ...showing(core), rejectUnauthorized: false, servername: '' })
    onTestFinished(() => session.destroy())
    const letGo = new Promise(resolve => session.once('goaway', resolve))
    await new Promise(resolve => session.once('remoteSettings', resolve))

    swap(files(crossplane.certificate + successor.certificate, next))
    await expect.poll(async () => (await greet(port, showing(core))).fingerprint).toBe(fingerprint(next))
    expect((await greet(port, showing(core))).greeted).toBe(true)
    expect((await greet(port, showing(nextCore))).greeted).toBe(true)

    swap(files(successor.certificate, next))
    await expect.poll(async () => (await greet(port, showing(core))).greeted).toBe(false)
    expect((await greet(port, showing(nextCore))).greeted).toBe(true)
    await letGo
    expect(await counted(serving, 'function_certificate_reloads_total', { result: 'taken up' })).toBe(2)
  })

  test('disconnects a client of a removed CA after the grace time, even during a call', async () => {
    const successor = createAuthority()
    const { folder, swap } = mountedSecret(files(crossplane.certificate, server))
    const serving = await serve({ certificatesDirectory: folder, certificatePollMs: 10 })
    const session = connect(`https://127.0.0.1:${serving.port}`, { ...showing(core), rejectUnauthorized: false, servername: '' })
    onTestFinished(() => session.destroy())
    const call = session.request({ ':method': 'POST', ':path': pathOf(serviceNames[0]), 'content-type': 'application/grpc' })
    call.on('error', () => {})
    const cutOff = once(session, 'error')
    await expect.poll(() => counted(serving, 'function_calls_in_flight')).toBe(1)
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    swap(files(successor.certificate, serverIdentity(successor)))
    await once(session, 'goaway')
    expect(call.closed).toBe(false)
    vi.advanceTimersByTime(10_000)
    expect(await cutOff).toMatchObject([{ message: `Session closed with error code ${constants.NGHTTP2_CANCEL}` }])
  })

  test('fails no call under load: new connections get the new certificate, old connections finish', async () => {
    const { folder, swap } = mountedSecret(files(crossplane.certificate, server))
    const { port } = await serve({ certificatesDirectory: folder, certificatePollMs: 10 })
    const clients = Array.from({ length: 4 }, () => connectClient(port, as(core)))
    let done = false
    const errors: unknown[] = []
    const load = clients.map(async client => {
      while (!done) {
        const { error } = await call(client, { meta: { tag: 'load', capabilities: [] } })
        if (error) errors.push(error.message)
      }
    })
    const session = connect(`https://127.0.0.1:${port}`, { ...showing(core), rejectUnauthorized: false, servername: '' })
    onTestFinished(() => session.destroy())
    await new Promise(resolve => session.once('remoteSettings', resolve))
    const rotate = async (bundle: string) => {
      const next = serverIdentity(crossplane)
      swap(files(bundle, next))
      await expect.poll(async () => (await greet(port, showing(core))).fingerprint).toBe(fingerprint(next))
      expect((await call(connectClient(port, as(core)))).error).toBeUndefined()
    }
    try {
      await rotate(crossplane.certificate)
      // Only a changed CA closes old connections.
      expect(session.closed).toBe(false)
      await rotate(crossplane.certificate + namesake.certificate)
    } finally {
      done = true
      await Promise.all(load)
    }
    expect(errors).toEqual([])
  })

  test.each<{ title: string; version: ConnectionOptions }>([
    { title: 'TLS 1.3', version: { minVersion: 'TLSv1.3' } },
    { title: 'TLS 1.2', version: { maxVersion: 'TLSv1.2' } },
  ])('rejects a session from before the CA was removed: $title', async ({ version }) => {
    const successor = createAuthority()
    const { folder, swap } = mountedSecret(files(crossplane.certificate, server))
    const { port } = await serve({ certificatesDirectory: folder, certificatePollMs: 10 })
    const { greeted, sessions } = await greet(port, { ...showing(core), ...version })
    expect(greeted).toBe(true)
    const next = serverIdentity(successor)
    swap(files(successor.certificate, next))
    await expect.poll(async () => (await greet(port)).fingerprint).toBe(fingerprint(next))
    for (const session of [undefined, ...sessions])
      expect(await greet(port, { ...showing(core), ...version, ...(session && { session }) })).toMatchObject({
        greeted: false,
        resumed: false,
      })
  })

  test('serves a certificate with the DNS names that Crossplane uses', async () => {
    const { subjectAltName } = new X509Certificate(server.certificate)
    const name = 'function-event-driven-service'
    expect(subjectAltName).toBe(`DNS:${name}, DNS:${name}.crossplane-system, DNS:${name}.crossplane-system.svc`)
    expect((await greet((await secure()).port, showing(core))).fingerprint).toBe(fingerprint(server))
  })

  test.each([
    {
      title: 'a new certificate with the old key',
      broken: { 'tls.crt': serverIdentity(crossplane).certificate },
      reason: /do not match/,
    },
    { title: 'a key of another certificate', broken: { 'tls.key': serverIdentity(crossplane).key }, reason: /do not match/ },
    { title: 'half a certificate', broken: { 'tls.crt': server.certificate.slice(0, 300) }, reason: /tls\.crt is not a PEM certificate/ },
    { title: 'an empty bundle', broken: { 'ca.crt': '' }, reason: /ca\.crt contains no CA certificate/ },
    { title: 'a bundle of leaves', broken: { 'ca.crt': server.certificate }, reason: /ca\.crt contains no CA certificate/ },
  ])('$title is rejected and logged once, until it is fixed', async ({ broken, reason }) => {
    const next = serverIdentity(crossplane)
    const { folder, swap } = mountedSecret(files(crossplane.certificate, server))
    const serving = await serve({ certificatesDirectory: folder, certificatePollMs: 10 })
    const { port, lines } = serving
    const unusable = () => counted(serving, 'function_certificates_unusable')
    const complaints = () => lines.filter(({ msg }) => msg.startsWith('certificates unusable'))

    swap({ ...files(crossplane.certificate, server), ...broken })
    await expect.poll(complaints).toMatchObject([{ level: 'error', reason: expect.stringMatching(reason) }])
    expect(await greet(port, showing(core))).toMatchObject({ greeted: true, fingerprint: fingerprint(server) })
    expect(await unusable()).toBe(1)

    swap(files(crossplane.certificate, next))
    await expect.poll(async () => (await greet(port, showing(core))).fingerprint).toBe(fingerprint(next))
    expect(complaints()).toHaveLength(1)
    await expect.poll(unusable).toBe(0)
  })

  test('clears the unusable metric when the previous secret is restored', async () => {
    const { folder, swap } = mountedSecret(files(crossplane.certificate, server))
    const serving = await serve({ certificatesDirectory: folder, certificatePollMs: 10 })
    const unusable = () => counted(serving, 'function_certificates_unusable')
    swap({ ...files(crossplane.certificate, server), 'tls.crt': '' })
    await expect.poll(unusable).toBe(1)
    swap(files(crossplane.certificate, server))
    await expect.poll(unusable).toBe(0)
  })
})

test.each([
  { certificate: 'server', pem: server.certificate },
  { certificate: 'ca', pem: crossplane.certificate },
])('exports the expiry of the certificate of the $certificate', async ({ certificate, pem }) => {
  const expected = Date.parse(new X509Certificate(pem).validTo) / 1000
  expect(await counted(await secure(), 'function_certificate_expiry_timestamp_seconds', { certificate })).toBe(expected)
})
