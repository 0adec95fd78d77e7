import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { eds } from '../../src/cli/eds.ts'
import { recorded } from './io.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = `${root}test/fixtures/agent-executor`

async function run(args: readonly string[], stdin?: string) {
  const { io, stdout, stderr } = recorded(stdin === undefined ? {} : { stdin })
  return { exit: await eds(['migrate', ...args], io), stdout: stdout(), stderr: stderr() }
}

test('prints the claim with a schema comment to standard output, and comparison and steps to standard error', async () => {
  const { exit, stdout, stderr } = await run([folder])
  expect(exit).toBe(0)
  expect(stdout).toMatch(/^# yaml-language-server: \$schema=\S+\/schemas\/eventdrivenservice\.schema\.json\napiVersion: /)
  expect(parse(stdout)).toEqual(parse(readFileSync(`${root}examples/agent-executor-claim.yaml`, 'utf8')))
  expect(stderr).toContain('eds migrate: size medium has exactly these resources\n')
  expect(stderr).toMatch(/^Deployment agent-executor {2}\d+ fields the same$/m)
  expect(stderr).toMatch(/^ {2}different {4}spec\.template\.spec\.containers\[0\]\.name: "agent-executor" → "main" {2}\(/m)
  expect(stderr).toMatch(/^ {2}unsupported {2}metadata\.labels\["app\.kubernetes\.io\/part-of"\]: "deepagents"/m)
  expect(stderr).toMatch(/^ {2}added {8}spec\.triggers\[0\]\.metadata\.accountID: "\$G" {2}\(KEDA finds/m)
  expect(stderr).toMatch(/^3\. Apply the claim\. It reports NameTaken/m)
})

test('--adopt lets the claim adopt the existing objects', async () => {
  const { stdout, stderr } = await run([folder, '--adopt'])
  expect(parse(stdout).metadata.annotations).toEqual({ 'platform.bizmatters.io/adopt': 'true' })
  expect(stderr).not.toContain('NameTaken')
})

test('-o json prints claim, size, comparison and steps in one object', async () => {
  const { exit, stdout } = await run([folder, '-o', 'json'])
  expect(exit).toBe(0)
  const { claim, size, comparison, steps } = JSON.parse(stdout)
  expect(claim.kind).toBe('EventDrivenService')
  expect(size).toEqual({ size: 'medium', exact: true })
  expect(comparison).toContainEqual({
    object: 'ScaledObject agent-executor-scaler',
    path: 'spec.triggers[0].metadata.stream',
    verdict: 'same',
    was: 'AGENT_EXECUTION',
    is: 'AGENT_EXECUTION',
  })
  expect(steps.length).toBeGreaterThan(2)
})

test('reads the items of a List and skips other kinds', async () => {
  const items = ['deployment', 'scaledobject'].map(name => parse(readFileSync(`${folder}/${name}.yaml`, 'utf8')))
  const list = { apiVersion: 'v1', kind: 'List', items: [...items, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }] }
  const { exit, stderr } = await run(['-'], JSON.stringify(list))
  expect(exit).toBe(0)
  expect(stderr).toContain('eds migrate: skipped ConfigMap x: it stays as it is\n')
  expect(stderr).toMatch(/^Service agent-executor\n {2}added/m)
})

test.each([
  { title: 'a terminal without files', args: [], stderr: 'eds migrate: name a file or a directory, or pipe manifests in\n', exit: 2 },
  {
    title: 'manifests without a Deployment',
    args: ['-'],
    stdin: 'apiVersion: v1\nkind: Service\nmetadata: {name: x}\n',
    stderr: 'eds migrate: needs a Deployment of apps/v1 with a name\n',
    exit: 1,
  },
  {
    title: 'a claim that would be invalid',
    args: [`${folder}/scaledobject.yaml`, '-'],
    stdin:
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: agent-executor}\nspec: {template: {spec: {containers: [{name: x, image: a b}]}}}\n',
    stderr:
      "eds migrate: the claim would be refused: spec.image: must be a valid container image such as 'ghcr.io/acme/orders-worker:1.4.2', got 'a b'\n",
    exit: 1,
  },
])('rejects $title', async ({ args, stdin, stderr, exit }) => {
  expect(await run(args, stdin)).toEqual({ exit, stdout: '', stderr })
})

test('exits with 2 for a missing file', async () => expect((await run(['/no/such/file.yaml'])).exit).toBe(2))
