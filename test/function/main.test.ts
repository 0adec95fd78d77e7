import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { createAuthority, issueCertificate } from '../../scripts/certificates.ts'
import { as, call, certificateFolder, connectClient, type Line, openCall, serverIdentity, temporaryFolder } from './serving.ts'

const main = fileURLToPath(new URL('../../src/function/main.ts', import.meta.url))

interface Run {
  readonly process: ChildProcess
  readonly output: () => string
  readonly errors: () => string
  /** The code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>
  readonly line: (msg: string) => Promise<Line>
}

function run(...args: string[]): Run {
  const { TLS_SERVER_CERTS_DIR: _, ...env } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  const lines = (): Line[] =>
    errors
      .split('\n')
      .slice(0, -1)
      .map(text => JSON.parse(text))
  const line = async (msg: string) => {
    await expect.poll(() => lines().some(found => found.msg === msg), { timeout: 30_000 }).toBe(true)
    const found = lines().find(candidate => candidate.msg === msg)
    if (found === undefined) throw new Error(`no line '${msg}'`)
    return found
  }
  return { process: child, output: () => output, errors: () => errors, ended, line }
}

const local = ['--address=127.0.0.1:0', '--metrics-address=127.0.0.1:0']

describe('starting', () => {
  test.each([
    { title: 'a bad flag', args: ['--adress=:1'], code: 2, errors: /Unknown option '--adress'.*\nSee --help\.\n$/ },
    { title: 'a bad value', args: ['--address=x'], code: 2, errors: /^--address: must be .*, got 'x'\n/ },
  ])('$title: exit $code', async ({ args, code, errors }) => {
    const { ended, errors: said } = run(...args)
    expect(await ended).toBe(code)
    expect(said()).toMatch(errors)
    expect(said()).not.toMatch(/\n\s+at /)
  })

  test('exits with 1 and the reason if the certificates are missing', async () => {
    const folder = temporaryFolder()
    const { ended, line } = run(...local, '--tls-certs-dir', folder)
    expect(await ended).toBe(1)
    expect(await line('cannot start')).toMatchObject({
      level: 'error',
      reason: expect.stringContaining(`cannot read ${folder}/tls.crt: ENOENT`),
    })
  })

  test.each(['address', 'metrics-address'])('a port in use for --%s: exit 1 with the reason', async flag => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => {
      taken.close()
    })
    await once(taken, 'listening')
    const bound = taken.address()
    const address = typeof bound === 'object' && bound !== null ? `127.0.0.1:${bound.port}` : ''
    const { ended, line } = run('--insecure', ...local, `--${flag}=${address}`)
    expect(await ended).toBe(1)
    expect(await line('cannot start')).toMatchObject({ reason: expect.stringMatching(`already in use ${address}`) })
  })

  test('--help and --version', async () => {
    const [help, version] = [run('--help'), run('--version')]
    expect([await help.ended, await version.ended]).toEqual([0, 0])
    expect(help.output()).toContain('--tls-certs-dir')
    expect(version.output()).toBe(`${manifest.version}\n`)
  })
})

describe('serving', () => {
  test('over TLS, with process metrics', async () => {
    const authority = createAuthority()
    const folder = certificateFolder(authority.certificate, serverIdentity(authority))
    const { line, process: child, ended, errors } = run(...local, `--tls-certs-dir=${folder}`)
    const { port, metricsPort, tls } = await line('listening')
    expect(tls).toBe(true)
    expect(errors()).not.toContain('INSECURE')
    const core = issueCertificate(authority, { usages: ['client'] })
    expect((await call(connectClient(Number(port), as(core)))).error).toBeUndefined()
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    expect(metrics).toMatch(/^function_calls_total\{result="(ok|refused)"\} 1$/m)
    expect(metrics).toMatch(/^process_resident_memory_bytes \d+$/m)
    child.kill('SIGINT')
    expect(await ended).toBe(0)
  })

  test('on SIGTERM finishes calls in flight, refuses new ones, ignores idle connections and exits with 0', async () => {
    const { line, process: child, ended } = run('--insecure', ...local)
    const { port, metricsPort } = await line('listening')
    expect(await line('INSECURE: serving plaintext; anyone who reaches this port can call the function')).toMatchObject({ level: 'warn' })
    const idle = connectClient(Number(port))
    await call(idle)
    const { finish } = openCall(connectClient(Number(port)))
    const metrics = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    await expect.poll(metrics).toMatch(/^function_calls_in_flight 1$/m)

    child.kill('SIGTERM')
    await line('stopping')
    expect((await call(connectClient(Number(port)))).error).toBeDefined()
    expect((await finish()).error).toBeUndefined()
    expect(await ended).toBe(0)
    expect(await line('stopped')).toMatchObject({ calls: 'finished' })
  })
})
