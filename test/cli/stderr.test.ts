// Standard error quotes untrusted files, which must not control a terminal or the CI job.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eds } from '../../src/cli/eds.ts'
import { claim } from '../fixtures/claims.ts'
import { recorded } from './io.ts'

const HOSTILE = '::warning::hi\n::warning::hi ##[error]hi \u001B]0;hi\u0007\u009B2J\u202Ecod\u2066'
const FILE = '::warning::a\n ::warning::b ##[error]c \u001B]0;d\u202E.yaml'
const folder = mkdtempSync(join(tmpdir(), 'eds-note-'))
const start = process.cwd()

const other = { apiVersion: 'v1', kind: `ConfigMap${HOSTILE}`, metadata: { name: HOSTILE } }
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'w', namespace: 'shop', labels: { [HOSTILE]: HOSTILE } },
  spec: {
    selector: { matchLabels: { app: HOSTILE } },
    template: {
      spec: {
        containers: [
          {
            name: HOSTILE,
            image: 'ghcr.io/acme/w:1',
            env: [
              { name: 'NATS_STREAM_NAME', value: 'A' },
              { name: 'NATS_CONSUMER_GROUP', value: 'a' },
              { name: HOSTILE, value: HOSTILE },
            ],
          },
        ],
      },
    },
  },
}
const serving = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'w', namespace: 'shop', annotations: { [HOSTILE]: HOSTILE } },
  spec: { template: { spec: { containers: [{ image: 'ghcr.io/acme/w:1', name: HOSTILE }], [HOSTILE]: HOSTILE } } },
}
const files: Readonly<Record<string, unknown>> = {
  [FILE]: other,
  'other.json': other,
  'wrong.json': claim({ size: HOSTILE, [HOSTILE]: 1 }),
  'deployment.json': deployment,
  'serving.json': serving,
  'strange.json': { ...serving, spec: { template: { spec: { containers: [{ image: HOSTILE }] } } } },
  'input.json': { apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', [HOSTILE]: 1 },
}

beforeAll(() => {
  process.chdir(folder)
  mkdirSync(join(folder, `dir${FILE}`))
  for (const [name, value] of Object.entries(files)) writeFileSync(name, JSON.stringify(value))
  writeFileSync(`broken${FILE}`, 'a: "\n')
})
afterAll(() => {
  process.chdir(start)
  rmSync(folder, { recursive: true })
})

/** Finds a workflow command like the runner of GitHub: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs */
const isCommand = (line: string) => line.trimStart().startsWith('::') || line.includes('##[')
const moves = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u

describe.each([
  { args: ['render', FILE] },
  { args: ['render', 'other.json'] },
  { args: ['render', 'wrong.json'] },
  { args: ['render', `no${FILE}`] },
  { args: ['render', `broken${FILE}`] },
  { args: ['render', '--input', FILE, 'wrong.json'] },
  { args: ['render', '--input', 'input.json', 'wrong.json'] },
  { args: ['render', '--observed', `no${FILE}`, 'wrong.json'] },
  { args: ['migrate', FILE, 'deployment.json'] },
  { args: ['migrate', 'serving.json'] },
  { args: ['migrate', `no${FILE}`] },
  { args: ['import', HOSTILE] },
  { args: ['import', 'knative', 'serving.json', FILE] },
  { args: ['import', 'knative', 'strange.json'] },
  { args: ['import', 'knative', `dir${FILE}`] },
  { args: ['validate', 'wrong.json', FILE] },
  { args: ['validate', `dir${FILE}`, `no${FILE}`, `broken${FILE}`] },
  { args: ['validate', '--schema', FILE, 'wrong.json'] },
  { args: ['validate', `--${HOSTILE}`] },
  { args: ['validate', '-o', HOSTILE] },
  { args: ['doctor', '--kubeconfig', `no${FILE}`] },
  { args: ['doctor', '--kubeconfig', FILE, '--context', HOSTILE] },
  { args: [HOSTILE] },
  { args: [`-${HOSTILE}`] },
])('eds $args', ({ args }) => {
  test('escapes control characters and workflow commands of its input', async () => {
    const { io, stderr, stdout } = recorded()
    await eds(args, io)
    const lines = `${stderr()}${args[0] === 'validate' ? stdout() : ''}`.split('\n')
    expect(stderr()).not.toBe('')
    expect(lines.filter(line => isCommand(line) || moves.test(line))).toEqual([])
    expect(lines.filter(line => line.startsWith('hi') || line.startsWith(' ::'))).toEqual([])
  })
})
