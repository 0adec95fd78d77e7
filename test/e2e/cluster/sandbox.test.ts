// Runs the sandbox as a process, each time with its own control plane.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { root } from '../../fixtures/claim-files.ts'
import { until } from './until.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

function sandbox(...args: readonly string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tools/sandbox.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  closing.push(() => child.kill('SIGKILL'))
  const folderOf = () => dirname(dirname(/KUBECONFIG=(\S+)/.exec(output)?.[1] ?? ''))
  return { child, ended, output: () => output, folderOf }
}

test('makes the full claim ready, and removes its folder after SIGTERM', async () => {
  const { child, ended, output, folderOf } = sandbox('--apply', 'examples/full-claim.yaml')
  await until('the claim', () => /support\/assistant {2}ready {2}2 replicas .* lag 0/.test(output()), {
    check: () => expect(child.exitCode, output()).toBeNull(),
  })
  expect(output()).toContain('created Secret support/assistant-db with empty values for endpoint, username, password\n')
  const folder = folderOf()
  expect(existsSync(folder)).toBe(true)
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  await until('its folder is gone', () => !existsSync(folder))
})

test('ends with the message of the API server if it rejects a claim', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claim-'))
  closing.push(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'claim.yaml')
  // Kubernetes validates labels, eds does not.
  writeFileSync(
    file,
    `apiVersion: platform.bizmatters.io/v1alpha1
kind: EventDrivenService
metadata: { name: orders, namespace: shop, labels: { 'no label': '' } }
spec: { image: 'ghcr.io/acme/orders:1', nats: { stream: ORDERS, consumer: orders } }
`,
  )
  const { ended, output } = sandbox('--apply', file)
  expect(await ended).toBe(1)
  expect(output()).toContain('metadata.labels: Invalid value: "no label"')
})
