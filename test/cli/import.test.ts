import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { eds } from '../../src/cli/eds.ts'
import { recorded } from './io.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const claimFile = `${root}examples/knative-kafka-broker-triggers-claim.yaml`

async function run(args: readonly string[], stdin?: string) {
  const { io, stdout, stderr } = recorded(stdin === undefined ? {} : { stdin })
  return { exit: await eds(args, io), stdout: stdout(), stderr: stderr() }
}

test('recovers the claim from the output of render, and ignores the ServiceAccount that every claim has', async () => {
  const rendered = await run(['render', claimFile])
  const { exit, stdout, stderr } = await run(['import', 'knative', '-'], rendered.stdout)
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
  expect(parse(stdout)).toEqual(parse(readFileSync(claimFile, 'utf8')))
  expect(parseAllDocuments(stdout)).toHaveLength(1)
})

test.each([
  { title: 'a Knative Service', before: '', line: 8 },
  {
    title: 'a Knative Service after a Kubernetes Service of the same name',
    before: 'apiVersion: v1\nkind: Service\nmetadata: {name: orders}\n---\n',
    line: 12,
  },
])('reports an unsupported field of $title with its position', async ({ before, line }) => {
  const manifest = `${before}apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: orders
spec:
  template:
    spec:
      nodeSelector: {disk: ssd}
      containers:
        - image: ghcr.io/acme/orders:1
`
  const { exit, stdout, stderr } = await run(['import', 'knative'], manifest)
  expect(exit).toBe(0)
  expect(parse(stdout)).toMatchObject({ metadata: { name: 'orders', namespace: 'default' }, spec: { runtime: 'Knative' } })
  expect(stderr).toContain(`:${line}:7  warning: spec.template.spec.nodeSelector: is left out: {"disk":"ssd"}  [UNSUPPORTED]`)
})

test.each([
  { title: 'a missing operand', args: ['import'], stderr: "eds import: imports 'knative', got nothing\n", exit: 2 },
  { title: 'an unknown operand', args: ['import', 'helm'], stderr: "eds import: imports 'knative', got 'helm'\n", exit: 2 },
  {
    title: 'a terminal without files',
    args: ['import', 'knative'],
    stderr: 'eds import: name a file or a directory, or pipe manifests in\n',
    exit: 2,
  },
  {
    title: 'manifests without a Knative Service',
    args: ['import', 'knative', '-'],
    stdin: 'kind: ConfigMap\napiVersion: v1\n',
    stderr: 'eds import: needs a Service of serving.knative.dev with a name\n',
    exit: 1,
  },
  {
    title: 'a claim that would be invalid',
    args: ['import', 'knative', '-'],
    stdin:
      'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: orders}\nspec: {template: {spec: {containers: [{image: a b}]}}}\n',
    stderr:
      "eds import: the claim would be refused: spec.image: must be a valid container image such as 'ghcr.io/acme/orders-worker:1.4.2', got 'a b'\n",
    exit: 1,
  },
])('rejects $title', async ({ args, stdin, stderr, exit }) => {
  expect(await run(args, stdin)).toEqual({ exit, stdout: '', stderr })
})
