// Runs the sandbox with real pods as a process, and talks to it from outside its namespaces.
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { root } from '../../fixtures/claim-files.ts'
import { until } from '../cluster/until.ts'

const run = promisify(execFile)

test('runs the claim, answers kubectl and messages outside, and leaves nothing after Ctrl-C', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tools/sandbox.ts', '--node', '--apply', 'examples/minimal-claim.yaml'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
  const ended = new Promise(resolve => child.once('close', resolve))
  await until('the claim', () => /shop\/orders-worker {2}ready {2}1 replica .* lag 0/.test(output), {
    timeoutMs: 480_000,
    check: () => expect(child.exitCode, output).toBeNull(),
  })

  const [, kubeconfig = ''] = /KUBECONFIG=(\S+)/.exec(output) ?? []
  const kubectl = (...args: readonly string[]) => run('kubectl', ['--kubeconfig', kubeconfig, '-n', 'shop', ...args])
  expect((await kubectl('logs', 'deployment/orders-worker')).stdout).toContain('listens on 8080')
  expect((await kubectl('exec', 'deployment/orders-worker', '--', '/nodejs/bin/node', '-p', '1+1')).stdout).toBe('2\n')
  const [, port = ''] = /npm run messages -- (\d+)/.exec(output) ?? []
  const messages = [process.execPath, '--import', 'tsx', 'tools/messages.ts', port, 'ORDERS', 'orders-workers']
  const [node = '', ...args] = [...messages, '7']
  expect((await run(node, args, { cwd: root })).stdout).toContain('7 messages wait')

  child.kill('SIGINT')
  expect(await ended, output).toBe(0)
  expect(existsSync(kubeconfig)).toBe(false)
})
