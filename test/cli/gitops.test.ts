import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { eds } from '../../src/cli/eds.ts'
import { recorded } from './io.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const ours = ['package/gitops', 'package/mesh/argo-cd', 'examples/environments'].map(folder => root + folder)

async function run(args: readonly string[], stdin?: string) {
  const { io, stdout, stderr } = recorded(stdin === undefined ? {} : { stdin })
  const code = await eds(['gitops', ...args], io)
  return { code, stdout: stdout(), stderr: stderr() }
}

const tracking = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata:\n  application.resourceTrackingMethod: label\n'

test('finds nothing in what the project deploys itself', async () => {
  expect(await run(['check', ...ours, '--complete', '-q'])).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('notes that argocd-cm is not among the files', async () => {
  const stderr = expect.stringMatching(/\nthe files have no argocd-cm, .*; --complete reports it\n$/)
  const files = [`${root}package/gitops/argocd/applications`, `${root}examples/environments`]
  expect(await run(['check', ...files])).toEqual({ code: 0, stdout: '', stderr })
  expect(await run(['check', ...files, '--complete', '-q'])).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/platform\.yaml:\d+:\d+ {2}spec: .* \[MISSING_HEALTH\]\n$/),
  })
})

test('prints a finding with its line', async () => {
  const { code, stdout } = await run(['check', '-', '-q'], tracking)
  expect([code, stdout]).toEqual([1, expect.stringMatching(/:5:\d+ {2}data\["application.*got 'label'.*\[TRACKED_BY_LABEL\]\n$/)])
  const report = await run(['check', '-', '-o', 'junit'], tracking)
  expect(report.stdout).toContain('<testsuites name="eds gitops check" tests="1" failures="1" errors="0">')
})

test('refuses another action', async () => {
  const stderr = 'eds gitops: expects: eds gitops check FILE...\n'
  expect(await run(['chek'])).toEqual({ code: 2, stdout: '', stderr })
  expect(await run([])).toEqual({ code: 2, stdout: '', stderr })
})
