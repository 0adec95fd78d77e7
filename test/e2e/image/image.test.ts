// npm run test:image: builds the image from the Dockerfile, starts it and calls it over TLS. Needs buildah. Uses images of this
// machine's Node if the public base images are unreachable (bases.ts).
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir, uptime } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Capability, Severity } from '@crossplane-org/function-sdk-typescript'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { createAuthority, issueCertificate } from '../../../scripts/certificates.ts'
import { buildah, buildImage, ownArchitecture } from '../../../scripts/image.ts'
import { as, call, connectClient, type Line, serverIdentity } from '../../function/serving.ts'
import { nodeAlone, nodeWithNpm } from './bases.ts'

const folder = mkdtempSync(join(tmpdir(), 'image-'))
const archives = [join(folder, 'first.tar'), join(folder, 'second.tar')] as const
const images: string[] = []
let container = ''
let mounted = ''
let config: { User?: string; Entrypoint?: string[]; Cmd?: string[]; ExposedPorts?: object } = {}

beforeAll(() => {
  // With chroot, because this process may lack the privileges to start containers.
  process.env.BUILDAH_ISOLATION ??= 'chroot'
  const [base, builder] = [nodeAlone(mkdtempSync(join(folder, 'base-'))), nodeWithNpm(mkdtempSync(join(folder, 'builder-')))]
  images.push(base, builder)
  const [id = ''] = archives.map(archive => buildImage({ architecture: ownArchitecture, archive, base, builder }))
  images.push(id)
  config = JSON.parse(buildah('inspect', '--type', 'image', id)).OCIv1.config
  container = buildah('from', '--pull-never', id)
  mounted = buildah('mount', container)
})

afterAll(() => {
  if (container !== '') buildah('rm', container)
  if (images.length > 0) buildah('rmi', '--force', ...images)
  rmSync(folder, { recursive: true })
})

const files = () =>
  readdirSync(mounted, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(mounted.length))
    .sort()

test('has the same bytes for the same sources', () => {
  const [first, second] = archives.map(archive => createHash('sha256').update(readFileSync(archive)).digest('hex'))
  expect(second).toBe(first)
})

test('contains only Node, its libraries, our bundle and the licences', () => {
  const megabytes = (file: string) => `${(statSync(file).size / 1024 / 1024).toFixed(1)} MB`
  console.log(`image ${megabytes(archives[0])}, of it ours ${megabytes(join(mounted, 'function.js'))}:\n${files().join('\n')}`)
  const linked = /^(\/usr)?\/lib(64|\/[a-z0-9_]+-linux-gnu)?\/[a-z0-9_+-]+\.so\.\d+$/
  expect(files().filter(file => !linked.test(file))).toEqual(['/LICENSE', '/THIRD_PARTY_LICENSES.txt', '/function.js', '/nodejs/bin/node'])
  expect(readFileSync(join(mounted, 'THIRD_PARTY_LICENSES.txt'), 'utf8')).toMatch(/^@grpc\/grpc-js \d+\.\d+\.\d+ \(Apache-2\.0\)$/m)
})

test('runs as an unprivileged user and starts without a shell', () => {
  expect(config).toMatchObject({ User: '2000:2000', Entrypoint: ['/nodejs/bin/node', '--max-semi-space-size=8', '/function.js'] })
  expect(config.Cmd ?? []).toEqual([])
  expect(Object.keys(config.ExposedPorts ?? {}).sort()).toEqual(['8080/tcp', '9443/tcp'])
})

const TICKS_PER_SECOND = 100

/** The Node process of a group and its start time, because buildah does not forward signals. */
function nodeOf(group: number): { pid: number; began: number } {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    const [, comm, rest] = /\((.*)\) (.*)/s.exec(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '') ?? []
    const fields = rest?.split(' ') ?? []
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, counted from the field `state`.
    const [pgrp, startTicks] = [Number(fields[2]), Number(fields[19])]
    if (pgrp === group && comm === 'node')
      return { pid: Number(pid), began: Date.now() - (uptime() - startTicks / TICKS_PER_SECOND) * 1000 }
  }
  throw new Error('no Node runs in the container')
}

/** Starts the image by its entry point, with the certificates at Crossplane's mount path. */
async function start(certificates: string) {
  const mount = ['--volume', `${certificates}:/tls/server:ro`, '--env', 'TLS_SERVER_CERTS_DIR=/tls/server']
  const free = ['--address=127.0.0.1:0', '--metrics-address=127.0.0.1:0']
  const child = spawn('buildah', ['run', ...mount, container, '--', ...(config.Entrypoint ?? []), ...free], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // In its own process group, to find and end its processes.
    detached: true,
  })
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL')
  })
  const lines: Line[] = []
  const ended = once(child, 'close').then(([code]) => code)
  const listening = new Promise<Line>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', text => {
      if (!text.startsWith('{')) return
      const line = JSON.parse(text) as Line
      lines.push(line)
      if (line.msg === 'listening') resolve(line)
    })
    ended.then(() => reject(new Error(`the image ended before it listened: ${JSON.stringify(lines)}`)))
  })
  const { port, metricsPort, time } = await listening
  const { pid, began } = nodeOf(child.pid ?? 0)
  return { port: Number(port), metricsPort: Number(metricsPort), lines, pid, ended, startMs: Date.parse(String(time)) - began }
}

test('answers Crossplane over TLS, rejects other clients, and ends after SIGTERM', async () => {
  const authority = createAuthority()
  const server = serverIdentity(authority)
  const certificates = mkdtempSync(join(folder, 'certificates-'))
  for (const [name, content] of [
    ['ca.crt', authority.certificate],
    ['tls.crt', server.certificate],
    ['tls.key', server.key],
  ] as const)
    writeFileSync(join(certificates, name), content)
  // The user of the image is not the owner of the files.
  chmodSync(certificates, 0o755)
  const before = files()

  const running = await start(certificates)
  const composite = parse(readFileSync(new URL('../../../examples/xr/full.yaml', import.meta.url), 'utf8'))
  const meta = { tag: 'image', capabilities: [Capability.CAPABILITY_CAPABILITIES] }
  const request = { meta, observed: { composite: { resource: composite, connectionDetails: {}, ready: 0 }, resources: {} } }
  const crossplane = issueCertificate(authority, { usages: ['client'] })
  const { response, error } = await call(connectClient(running.port, as(crossplane)), request)
  expect(error).toBeUndefined()
  expect(Object.keys(response?.desired?.resources ?? {}).sort()).toEqual([
    'deployment',
    'http-service',
    'poddisruptionbudget',
    'scaledobject',
    'service',
    'serviceaccount',
  ])
  expect(response?.results.filter(({ severity }) => severity === Severity.SEVERITY_FATAL)).toEqual([])

  const stranger = issueCertificate(createAuthority(), { usages: ['client'] })
  expect((await call(connectClient(running.port, as(stranger)), request)).error).toBeDefined()

  const http = (path: string) => fetch(`http://127.0.0.1:${running.metricsPort}${path}`)
  expect((await http('/healthz')).status).toBe(200)
  expect((await http('/readyz')).status).toBe(200)
  const metrics = await (await http('/metrics')).text()
  expect(metrics).toContain('function_calls_total{result="ok"} 1')
  const resident = Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1])
  console.log(`start to serving: ${running.startMs.toFixed(0)} ms, ${(resident / 1024 / 1024).toFixed(0)} MB resident`)

  process.kill(running.pid, 'SIGTERM')
  expect(await running.ended).toBe(0)
  expect(running.lines.map(({ msg }) => msg)).toContain('stopped')
  // Files that the container runtime creates.
  expect(files().filter(file => !before.includes(file) && !/^\/(etc|run|proc|sys|dev|tls)\//.test(file))).toEqual([])
})
