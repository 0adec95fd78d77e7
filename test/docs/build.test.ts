// docs/build.md installs the versions that are tested, and explains every reason with which a real build has failed.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { reasonOf } from '../../src/capabilities/build/build-run.ts'
import { buildDiagnosis } from '../../src/capabilities/build/doctor.ts'
import { observedCondition } from '../../src/kubernetes/conditions.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { withBuild } from '../fixtures/build.ts'
import { root } from '../fixtures/claim-files.ts'
import { clusterOf } from '../fixtures/doctor-api.ts'
import { rowsUnder } from './markdown.ts'

const read = (file: string) => readFileSync(`${root}${file}`, 'utf8')
const page = read('docs/build.md')

const tested = (program: string) => {
  const row = rowsUnder(read('docs/versions.md'), '# Tested versions').find(([name]) => name === program)
  if (row?.[1] === undefined) throw new Error(`docs/versions.md has no ${program}`)
  return `v${row[1]}`
}

const versionsIn = (text: string, url: RegExp) => new Set([...text.matchAll(url)].map(([, version]) => version))

const absent = (crd: string) => ({ [`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd}`]: undefined })
const fixes = async () =>
  (
    await buildDiagnosis.check(clusterOf({ ...absent('buildruns.shipwright.io'), ...absent('taskruns.tekton.dev') }), {
      claims: [],
      platform: withBuild(),
    })
  )
    .map(({ fix = '' }) => fix)
    .join('\n')

test.each([
  { program: 'Shipwright Build', url: /shipwright-io\/build\/(?:releases\/download\/)?(v[^/]+)\// },
  { program: 'Tekton Pipelines', url: /tekton-releases\/pipeline\/previous\/(v[^/]+)\// },
])('$program is installed in the tested version, by the page and by eds doctor', async ({ program, url }) => {
  const versions = new Set([tested(program)])
  expect(versionsIn(page, new RegExp(url, 'g'))).toEqual(versions)
  expect(versionsIn(await fixes(), new RegExp(url, 'g'))).toEqual(versions)
})

const runs = readdirSync(`${root}test/fixtures/build-runs`).map(file => {
  const run = parse(read(`test/fixtures/build-runs/${file}`)) as JsonObject
  return { file, run, status: observedCondition(run, 'Succeeded')?.status }
})
const explained = rowsUnder(page, '## When a build fails').flatMap(([reasons = '']) =>
  [...reasons.matchAll(/`(\w+)`/g)].map(([, reason]) => reason),
)

test.each(runs.filter(({ status }) => status === 'False'))('explains the reason of $file', ({ run }) => {
  expect(explained).toContain(reasonOf(run))
})
