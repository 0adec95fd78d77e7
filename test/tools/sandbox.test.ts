// Runs the sandbox as a process up to its first build, with fake programs for Go, kubectl and nats-server on the PATH.
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { root } from '../fixtures/claim-files.ts'

// A fake Go whose builds never end and leave a marker.
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
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
  const ended = new Promise<{ code: number | null; output: string }>(resolve => child.once('close', code => resolve({ code, output })))
  return { child, ended }
}

const claim = (spec: string) => `apiVersion: platform.bizmatters.io/v1alpha1
kind: EventDrivenService
metadata: { name: orders, namespace: shop }
spec: { image: 'ghcr.io/acme/orders:1', ${spec} }
`

const unfinished = () => (existsSync(cache) ? readdirSync(cache).filter(name => /^(building|editing)-/.test(name)) : [])

async function waitForBuild(): Promise<void> {
  while (!existsSync(builds)) await delay(50)
}

describe('--apply with invalid input', () => {
  test.each([
    { title: 'a file that does not exist', text: undefined, message: 'no such file or directory' },
    { title: 'invalid YAML', text: 'a: [', message: 'claim.yaml:1:' },
    { title: 'an invalid claim', text: claim('nats: { stream: A, consumer: a }, size: huge'), message: 'spec.size' },
    {
      title: 'no claim',
      text: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n',
      message: 'contains no EventDrivenService',
    },
  ])('reports $title and ends before the first build', async ({ text, message }) => {
    const file = join(folder, 'claim.yaml')
    if (text !== undefined) writeFileSync(file, text)
    const { code, output } = await sandbox('--apply', file).ended
    expect(output).toContain(message)
    expect(code).toBe(1)
    expect(existsSync(builds)).toBe(false)
  })

  test('accepts a folder that also contains other kinds', async () => {
    const { child, ended } = sandbox('--apply', 'examples/environments')
    await Promise.race([waitForBuild(), ended.then(({ output }) => Promise.reject(new Error(output)))])
    child.kill('SIGTERM')
    expect((await ended).code).toBe(143)
  })
})

describe('during a build', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends the sandbox and removes the unfinished build from the cache', async (signal, expected) => {
    const { child, ended } = sandbox()
    await waitForBuild()
    expect(unfinished()).toHaveLength(1)
    child.kill(signal)
    expect((await ended).code).toBe(expected)
    expect(unfinished()).toEqual([])
  })

  test('the next start removes the unfinished build of a killed process, but not that of a running one or of other namespaces', async () => {
    const killed = sandbox()
    await waitForBuild()
    killed.child.kill('SIGKILL')
    await killed.ended
    const [left = ''] = unfinished()
    const [, namespace] = new RegExp(`^building-${killed.child.pid}-(\\d+)-`).exec(left) ?? []
    const others = [`building-${killed.child.pid}-1${namespace}-elsewhere`, `building-${process.pid}-${namespace}-running`]
    for (const other of others) mkdirSync(join(cache, other))
    rmSync(builds)

    const next = sandbox()
    await waitForBuild()
    expect(unfinished()).not.toContain(left)
    expect(unfinished()).toEqual(expect.arrayContaining(others))
    next.child.kill('SIGTERM')
    await next.ended
    expect(unfinished().sort()).toEqual(others.sort())
  })
})
