// Which cluster eds doctor connects to, and with which credentials.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import { delimiter, dirname, join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { createAuthority, issueCertificate } from '../../../scripts/certificates.ts'
import { connectApi } from '../../../src/cli/doctor/api.ts'
import { findConnection } from '../../../src/cli/doctor/kubeconfig.ts'
import { eds } from '../../../src/cli/eds.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { recorded } from '../io.ts'
import { authority, type Cluster, configOf, listening, startCluster, temporaryFolder, writeConfig } from './cluster.ts'

const withToken = (token: string) => startCluster({ admits: ({ headers }) => headers.authorization === `Bearer ${token}` })

interface Where {
  readonly context?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Requests the version with the kubeconfig. */
async function ask(kubeconfig: string | undefined, { context, env = {} }: Where = {}) {
  const connection = await findConnection({ kubeconfig, context, env: { PATH: process.env.PATH, ...env } })
  if ('problem' in connection) return connection.problem
  const api = connectApi(connection)
  const answer = await api.get('/version')
  api.close()
  return answer.ok ? 'in' : answer.reason
}

const askWith = (cluster: Cluster, user: JsonObject, folder?: string) => ask(writeConfig(configOf({ server: cluster.url, user }), folder))

describe('credentials', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const admin = issueCertificate(authority, { commonName: 'admin', keyIdentifiers: true, usages: ['client'] })
  const withCertificate = () =>
    startCluster({
      tls: { ca: authority.certificate, requestCert: true, rejectUnauthorized: false },
      admits: ({ socket }: IncomingMessage) => socket instanceof TLSSocket && socket.authorized,
    })

  test('can be a certificate in the kubeconfig', async () => {
    const user = { 'client-certificate-data': base64(admin.certificate), 'client-key-data': base64(admin.key) }
    expect(await askWith(await withCertificate(), user)).toBe('in')
  })

  test('can be a certificate in files next to the kubeconfig', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'pki'))
    writeFileSync(join(folder, 'pki/admin.crt'), admin.certificate)
    writeFileSync(join(folder, 'pki/admin.key'), admin.key)
    expect(await askWith(await withCertificate(), { 'client-certificate': 'pki/admin.crt', 'client-key': 'pki/admin.key' }, folder)).toBe(
      'in',
    )
  })

  test('are rejected if another authority issued them', async () => {
    const other = issueCertificate(createAuthority({ commonName: 'other', keyIdentifiers: true }), { usages: ['client'] })
    const user = { 'client-certificate-data': base64(other.certificate), 'client-key-data': base64(other.key) }
    expect(await askWith(await withCertificate(), user)).toBe('Unauthorized')
  })

  test('are reported if the certificate is invalid', async () => {
    const user = { 'client-certificate-data': base64('cut off'), 'client-key-data': base64(admin.key) }
    expect(await askWith(await withCertificate(), user)).toMatch(/^the certificate and key for context 'test' can't be used: .*PEM/)
  })

  test('are reported without their value if they do not fit into a header', async () => {
    const said = await askWith(await withToken('t0p'), { token: 't0p\n' })
    expect(said).toMatch(/Invalid character in header/)
    expect(said).not.toContain('t0p')
  })

  test('can be a token', async () => {
    expect(await askWith(await withToken('t0p'), { token: 't0p' })).toBe('in')
    expect(await askWith(await withToken('t0p'), { token: 'wrong' })).toBe('Unauthorized')
  })

  test('can be a token in a file, which takes precedence over an inline token', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'token'), 't0p\n')
    expect(await askWith(await withToken('t0p'), { tokenFile: 'token', token: 'old' }, folder)).toBe('in')
  })

  test('name the file if it is missing', async () => {
    expect(await askWith(await withToken('t0p'), { tokenFile: 'nowhere' })).toMatch(/no such file.*nowhere/)
  })

  test('are rejected if they come from an auth-provider', async () => {
    expect(await askWith(await withToken('t0p'), { 'auth-provider': { name: 'gcp' } })).toMatch(/use an exec plugin/)
  })
})

describe('a plugin', () => {
  const apiVersion = 'client.authentication.k8s.io/v1'

  /** A program next to the kubeconfig that runs the script. */
  function plugin(script: string): { folder: string; exec: JsonObject } {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'plugin'), `#!/usr/bin/env node\n${script}`)
    chmodSync(join(folder, 'plugin'), 0o755)
    return { folder, exec: { apiVersion, command: './plugin', args: ['get-token'] } }
  }
  const credential = (token: string) => `console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: ${token} } }))`

  test('receives its arguments, environment and cluster, and returns a token', async () => {
    const { folder, exec } = plugin(`
      const { kind, apiVersion, spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO)
      const sees = [process.argv[2], process.env.PROFILE, kind, apiVersion, typeof spec.cluster.server, spec.interactive].join()
      ${credential('sees')}`)
    const cluster = await withToken(`get-token,platform,ExecCredential,${apiVersion},string,false`)
    const user = { exec: { ...exec, env: [{ name: 'PROFILE', value: 'platform' }], provideClusterInfo: true } }
    expect(await askWith(cluster, user, folder)).toBe('in')
  })

  test('returns a certificate', async () => {
    const { certificate, key } = issueCertificate(authority, { commonName: 'plugin', keyIdentifiers: true, usages: ['client'] })
    const status = JSON.stringify({ clientCertificateData: certificate, clientKeyData: key })
    const { folder, exec } = plugin(`console.log(JSON.stringify({ status: ${status} }))`)
    const cluster = await startCluster({
      tls: { ca: authority.certificate, requestCert: true, rejectUnauthorized: false },
      admits: ({ socket }) => socket instanceof TLSSocket && socket.authorized,
    })
    expect(await askWith(cluster, { exec }, folder)).toBe('in')
  })

  test.each([
    {
      title: 'fails',
      script: "console.error('log in first'); process.exit(1)",
      because: /'\.\/plugin' of the kubeconfig failed: log in first$/,
    },
    { title: 'prints something other than JSON', script: "console.log('secret')", because: /its output is not JSON$/ },
    { title: 'returns no credentials', script: 'console.log("{}")', because: /returned neither a token nor a certificate$/ },
  ])('is reported if it $title', async ({ script, because }) => {
    const { folder, exec } = plugin(script)
    expect(await askWith(await withToken('t0p'), { exec: { ...exec, installHint: 'Get it.' } }, folder)).toMatch(because)
  })

  test('is reported with its install hint if it is missing', async () => {
    const exec = { apiVersion, command: 'no-such-plugin', installHint: 'Get it from the intranet.' }
    expect(await askWith(await withToken('t0p'), { exec })).toMatch(/program not found\. Get it from the intranet\.$/)
  })
})

describe('the server', () => {
  const withCluster = async (cluster: JsonObject, folder?: string) =>
    ask(writeConfig(configOf({ server: (await startCluster()).url, cluster }), folder))

  test('is trusted by an authority in a file', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'ca.crt'), authority.certificate)
    expect(await withCluster({ 'certificate-authority': 'ca.crt' }, folder)).toBe('in')
  })

  test('is not trusted if its authority is unknown', async () => {
    expect(await withCluster({})).toMatch(/certificate/)
    const other = Buffer.from(createAuthority({ commonName: 'other' }).certificate).toString('base64')
    expect(await withCluster({ 'certificate-authority-data': other })).toMatch(/certificate/)
  })

  test('is trusted with insecure-skip-tls-verify', async () => {
    expect(await withCluster({ 'insecure-skip-tls-verify': true })).toBe('in')
  })

  test('must have the name in tls-server-name', async () => {
    const trusted = { 'certificate-authority-data': Buffer.from(authority.certificate).toString('base64') }
    expect(await withCluster({ ...trusted, 'tls-server-name': 'kubernetes' })).toMatch(/does not match/)
  })

  test('may use plain HTTP and a path', async () => {
    const paths: (string | undefined)[] = []
    const port = await listening(
      createServer(({ url }, response) => {
        paths.push(url)
        response.end('{}')
      }),
    )
    expect(await ask(writeConfig(configOf({ server: `http://127.0.0.1:${port}/k8s/clusters/c-1/`, cluster: {} })))).toBe('in')
    expect(paths).toEqual(['/k8s/clusters/c-1/version'])
  })

  test.each([
    { title: 'an invalid URL', config: { server: 'nowhere' }, because: /'nowhere' of context 'test' is not an http\(s\) URL/ },
    {
      title: 'a proxy-url',
      config: { server: 'https://x', cluster: { 'proxy-url': 'http://p' } },
      because: /proxy-url, which eds does not support/,
    },
  ])('rejects $title', async ({ config, because }) => expect(await ask(writeConfig(configOf(config)))).toMatch(because))
})

describe('the kubeconfig', () => {
  test('is read from $KUBECONFIG, else from the home folder', async () => {
    const { url } = await startCluster()
    const file = writeConfig(configOf({ server: url }))
    expect(await ask(undefined, { env: { KUBECONFIG: file } })).toBe('in')
    const home = temporaryFolder()
    mkdirSync(join(home, '.kube'))
    writeFileSync(join(home, '.kube/config'), JSON.stringify(configOf({ server: url })))
    expect(await ask(undefined, { env: { HOME: home } })).toBe('in')
  })

  test('may be several files, and the first entry of a name is used', async () => {
    const [right, wrong] = [await withToken('t0p'), await withToken('other')]
    const first = writeConfig(configOf({ server: right.url, user: { token: 't0p' }, name: 'a' }))
    const second = writeConfig({
      ...configOf({ server: wrong.url, user: { token: 'nope' }, name: 'a' }),
      'current-context': 'b',
      contexts: [{ name: 'b', context: { cluster: 'a', user: 'a' } }],
    })
    const KUBECONFIG = [join(temporaryFolder(), 'not-there'), first, second].join(delimiter)
    expect(await ask(undefined, { env: { KUBECONFIG } })).toBe('in')
    expect(await ask(undefined, { env: { KUBECONFIG }, context: 'b' })).toBe('in')
  })

  test('may be spread over several files, one of them empty', async () => {
    const { 'current-context': current, contexts, clusters, users } = configOf({ server: (await startCluster()).url })
    const empty = join(temporaryFolder(), 'config')
    writeFileSync(empty, '')
    const parts = [{ kind: 'Config', 'current-context': current, contexts }, { clusters }, { users }].map(part => writeConfig(part))
    expect(await ask(undefined, { env: { KUBECONFIG: [empty, ...parts].join(delimiter) } })).toBe('in')
  })

  test('may be YAML', async () => {
    const { url } = await startCluster()
    const file = join(temporaryFolder(), 'config')
    writeFileSync(
      file,
      `current-context: a\nclusters: [{name: c, cluster: {server: "${url}", insecure-skip-tls-verify: true}}]\nusers: []\ncontexts:\n- name: a\n  context:\n    cluster: c\n`,
    )
    expect(await ask(file)).toBe('in')
  })

  test.each<{ title: string; config: JsonObject; context?: string; because: RegExp }>([
    {
      title: 'a missing context',
      config: configOf({ server: 'https://x' }),
      context: 'production',
      because: /context 'production' does not exist; available contexts: test$/,
    },
    {
      title: 'a missing current-context',
      config: { ...configOf({ server: 'https://x' }), 'current-context': '' },
      because: /no current-context/,
    },
    {
      title: 'a missing cluster',
      config: { ...configOf({ server: 'https://x' }), clusters: [] },
      because: /names cluster 'test', which does not exist/,
    },
    {
      title: 'a missing user',
      config: { ...configOf({ server: 'https://x' }), users: [] },
      because: /names user 'test', which does not exist/,
    },
    { title: 'another kind of object', config: { kind: 'ConfigMap', 'current-context': 'x' }, because: /is not a kubeconfig/ },
  ])('rejects $title', async ({ config, context, because }) => {
    expect(await ask(writeConfig(config), context === undefined ? {} : { context })).toMatch(because)
  })
})

describe('eds doctor cannot run', () => {
  const run = async (...args: string[]) => {
    const { io, stdout, stderr } = recorded()
    const exit = await eds(['doctor', ...args], io)
    return { exit, stdout: stdout(), stderr: stderr() }
  }

  test('without a kubeconfig', async () => {
    const file = join(temporaryFolder(), 'config')
    expect(await run('--kubeconfig', file)).toEqual({ exit: 2, stdout: '', stderr: `eds doctor: ${file}: kubeconfig not found\n` })
  })

  test('with an invalid kubeconfig', async () => {
    const file = join(temporaryFolder(), 'config')
    writeFileSync(file, 'clusters: [\n')
    const { exit, stderr } = await run('--kubeconfig', file)
    expect(exit).toBe(2)
    expect(stderr).toMatch(new RegExp(`^eds doctor: ${dirname(file)}/config:\\d+: `))
  })

  test('if no server answers', async () => {
    const { exit, stderr } = await run('--kubeconfig', writeConfig(configOf({ server: 'https://127.0.0.1:1' })))
    expect(exit).toBe(2)
    expect(stderr).toMatch(/context 'test' \(https:\/\/127\.0\.0\.1:1\) cannot be reached: .*ECONNREFUSED/)
  })

  test.each([
    { title: 'if only /version is public', open: ['/version'] },
    { title: 'if nothing is public', open: [] },
  ])('with rejected credentials, $title', async ({ open }) => {
    const cluster = await startCluster({ admits: ({ url = '' }) => open.some(path => path === url) })
    const { exit, stderr, stdout } = await run('--kubeconfig', writeConfig(configOf({ server: cluster.url })))
    expect([exit, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/rejects the credentials in the kubeconfig: Unauthorized/)
  })

  test('if another kind of server answers', async () => {
    const cluster = await startCluster({ answers: { '/version': undefined } })
    const { exit, stderr } = await run('--kubeconfig', writeConfig(configOf({ server: cluster.url })))
    expect(exit).toBe(2)
    expect(stderr).toMatch(/does not answer like an API server/)
  })

  test('if the server switches protocols', async () => {
    const server = createServer().on('connection', socket =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    )
    const { exit, stderr } = await run('--kubeconfig', writeConfig(configOf({ server: `http://127.0.0.1:${await listening(server)}` })))
    expect(exit).toBe(2)
    expect(stderr).toMatch(/does not answer like an API server: HTTP 101/)
  })

  test('with a missing claim file', async () => {
    const cluster = await startCluster()
    const { exit, stderr } = await run('nowhere.yaml', '--kubeconfig', writeConfig(configOf({ server: cluster.url })))
    expect(exit).toBe(2)
    expect(stderr).toMatch(/nowhere\.yaml: no such file/)
  })
})
