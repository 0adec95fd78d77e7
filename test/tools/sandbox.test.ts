// The sandbox as a process, as far as it comes without a control plane: stand-ins for Go, kubectl and nats-server are on the PATH.
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { root } from '../fixtures/claim-files.ts'

// Go that never ends a build, and notes that it was asked for one.
const SLOW_GO = `#!/bin/sh
if [ "$1" = build ]; then touch "$BUILDS"; exec sleep 30; fi
echo go
`

let folder = ''
let cache = ''
let builds = ''
const started: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandbox-'))
  cache = join(folder, 'cache', 'event-driven-service')
  builds = join(folder, 'builds')
  mkdirSync(join(folder, 'bin'))
  for (const [name, script] of Object.entries({ go: SLOW_GO, kubectl: '#!/bin/sh\n', 'nats-server': '#!/bin/sh\n' })) {
    writeFileSync(join(folder, 'bin', name), script)
    chmodSync(join(folder, 'bin', name), 0o755)
  }
})
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function sandbox(...args: readonly string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tools/sandbox.ts', ...args], {
    cwd: root,
    env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), BUILDS: builds },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += String(chunk)))
  const ended = new Promise<{ code: number | null; said: string }>(resolve => child.once('close', code => resolve({ code, said })))
  return { child, ended }
}

const claim = (spec: string) => `apiVersion: platform.bizmatters.io/v1alpha1
kind: EventDrivenService
metadata: { name: orders, namespace: shop }
spec: { image: 'ghcr.io/acme/orders:1', ${spec} }
`

const unfinished = () => (existsSync(cache) ? readdirSync(cache).filter(name => /^(building|editing)-/.test(name)) : [])

async function untilItBuilds(): Promise<void> {
  while (!existsSync(builds)) await delay(50)
}

describe('--apply that cannot work', () => {
  test.each([
    { says: 'a file that does not exist', text: undefined, message: 'no such file or directory' },
    { says: 'text that is no YAML', text: 'a: [', message: 'claim.yaml:1:' },
    { says: 'a claim that is not valid', text: claim('nats: { stream: A, consumer: a }, size: huge'), message: 'spec.size' },
    {
      says: 'no claim at all',
      text: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n',
      message: 'there is no EventDrivenService',
    },
  ])('$says ends the sandbox with its message before anything is built', async ({ text, message }) => {
    const file = join(folder, 'claim.yaml')
    if (text !== undefined) writeFileSync(file, text)
    const { code, said } = await sandbox('--apply', file).ended
    expect(said).toContain(message)
    expect(code).toBe(1)
    expect(existsSync(builds)).toBe(false)
  })

  test('a folder with other kinds in it gets as far as the first build', async () => {
    const { child, ended } = sandbox('--apply', 'examples')
    await Promise.race([untilItBuilds(), ended.then(({ said }) => Promise.reject(new Error(said)))])
    child.kill('SIGTERM')
    expect((await ended).code).toBe(143)
  })
})

describe('while a program is being built', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends the sandbox and leaves nothing in the cache', async (signal, expected) => {
    const { child, ended } = sandbox()
    await untilItBuilds()
    expect(unfinished()).toHaveLength(1)
    child.kill(signal)
    expect((await ended).code).toBe(expected)
    expect(unfinished()).toEqual([])
  })

  test('SIGKILL leaves a folder, which the next start removes; the folder of a living process stays', async () => {
    const killed = sandbox()
    await untilItBuilds()
    killed.child.kill('SIGKILL')
    await killed.ended
    const [left = ''] = unfinished()
    expect(left).toMatch(new RegExp(`^building-${killed.child.pid}-`))
    const living = `building-${process.pid}-living`
    mkdirSync(join(cache, living))
    rmSync(builds)

    const next = sandbox()
    await untilItBuilds()
    expect(unfinished()).not.toContain(left)
    expect(unfinished()).toContain(living)
    next.child.kill('SIGTERM')
    await next.ended
    expect(unfinished()).toEqual([living])
  })
})
