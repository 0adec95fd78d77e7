// What Shipwright says about builds, in BuildRuns written by hand: the words that claims pass on.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { referenceTo } from '../cluster/api.ts'
import { createNamespace } from '../cluster/claim.ts'
import { DOCKERFILE } from './engine.ts'
import { READER, type Repository } from './git.ts'
import { build, buildRun, digestIn, type Ended, ended, type Source, says } from './runs.ts'
import { withBuilds } from './setting.ts'
import { app, broken, hungry, slowly } from './sources.ts'

const TEAM = 'team'
const FULL = 'full'

const given = withBuilds()
const repositories = new Map<string, Source>()

beforeAll(async () => {
  const { cluster, git } = given()
  await Promise.all([createNamespace(cluster, TEAM), createNamespace(cluster, FULL)])
  const create = (name: string, files: Parameters<Repository['commit']>[0]): Repository => {
    const repository = git.createRepository(name)
    repositories.set(name, { url: repository.url, revision: repository.commit(files) })
    return repository
  }
  create('team/app', app('1')).tag('v1.0.0')
  create('private/app', app('1'))
  create('team/broken', broken)
  create('team/hungry', hungry)
  create('team/slow', slowly(app('1'), 120))
  const secret = (name: string, password: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/basic-auth',
    metadata: { name, namespace: TEAM },
    stringData: { username: READER.username, password },
  })
  await cluster.applyAll([secret('reader', READER.password), secret('wrong', 'wrong')])
})

function sourceOf(repository: string): Source {
  const source = repositories.get(repository)
  if (source === undefined) throw new Error(`no repository ${repository}`)
  return source
}

/** Keeps the object for the tests of the capability if UPDATE_BUILDRUNS names a folder. */
function keep(name: string, { run }: Pick<Ended, 'run'>): void {
  const folder = process.env.UPDATE_BUILDRUNS
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  const { metadata, ...rest } = run
  const { managedFields: _, ...kept } = metadata as JsonObject
  writeFileSync(join(folder, `${name}.yaml`), stringify({ ...rest, metadata: kept }))
}

test.concurrent('builds a Dockerfile, and says the digest that the registry has', async () => {
  const { cluster } = given()
  const result = await build(cluster, buildRun(TEAM, 'success', sourceOf('team/app')))
  keep('success', result)
  expect(result, result.message).toMatchObject({ status: 'True', reason: 'Succeeded', commit: sourceOf('team/app').revision })
  expect(result.digest).toBe(await digestIn(cluster, 'team/success:latest'))
})

test.concurrent('gives a commit the same digest by its tag', async () => {
  const { cluster } = given()
  const results = await Promise.all([
    build(cluster, buildRun(TEAM, 'by-commit', sourceOf('team/app'))),
    build(cluster, buildRun(TEAM, 'by-tag', { ...sourceOf('team/app'), revision: 'v1.0.0' })),
  ])
  expect(new Set(results.map(({ commit }) => commit))).toEqual(new Set([sourceOf('team/app').revision]))
  expect(results[0].digest).toMatch(/^sha256:/)
  expect(results[1].digest).toBe(results[0].digest)
})

test.concurrent('clones a private repository with its secret', async () => {
  const source = sourceOf('private/app')
  const result = await build(given().cluster, buildRun(TEAM, 'private', { ...source, cloneSecret: 'reader' }))
  keep('private', result)
  expect(result, JSON.stringify(result.run.status)).toMatchObject({ status: 'True', commit: source.revision })
})

const inStep = (container: string) => ({ reason: 'Failed', details: { location: { container } } })
const registered = { reason: 'BuildRegistrationFailed' }

const failures: readonly {
  readonly name: string
  readonly repository?: string
  readonly source?: Partial<Source>
  readonly build?: JsonObject
  readonly says: JsonObject
}[] = [
  { name: 'broken-dockerfile', repository: 'team/broken', says: inStep('step-build') },
  {
    name: 'missing-dockerfile',
    build: { paramValues: [{ name: 'dockerfile', value: 'nowhere/Dockerfile' }] },
    says: { reason: 'Failed', details: { reason: 'DockerfileNotFound' } },
  },
  { name: 'missing-branch', source: { revision: 'nowhere' }, says: { reason: 'Failed', details: { reason: 'GitRevisionNotFound' } } },
  {
    name: 'missing-repository',
    source: { url: 'https://git.git.svc.cluster.local/team/none.git' },
    says: inStep('step-source-default'),
  },
  {
    name: 'private-without-secret',
    repository: 'private/app',
    says: { reason: 'Failed', details: { reason: 'GitRemoteRepositoryPrivate' } },
  },
  {
    name: 'private-wrong-password',
    repository: 'private/app',
    source: { cloneSecret: 'wrong' },
    says: { reason: 'Failed', details: { reason: 'GitAuthInvalidUserOrPass' } },
  },
  { name: 'missing-secret', source: { cloneSecret: 'none' }, says: registered },
  { name: 'missing-strategy', build: { strategy: { kind: 'ClusterBuildStrategy', name: 'none' } }, says: registered },
  { name: 'wrong-parameter', build: { paramValues: [{ name: 'nonsense', value: '1' }] }, says: registered },
  {
    name: 'push-failure',
    build: { output: { image: 'closed.test/team/app:latest', timestamp: 'SourceTimestamp' } },
    says: inStep('step-image-processing'),
  },
  {
    name: 'out-of-memory',
    repository: 'team/hungry',
    build: {
      strategy: {
        kind: 'ClusterBuildStrategy',
        name: DOCKERFILE,
        stepResources: [{ name: 'build', resources: { limits: { memory: '100Mi' } } }],
      },
    },
    says: { reason: 'StepOutOfMemory' },
  },
  { name: 'timeout', repository: 'team/slow', build: { timeout: '15s' }, says: { reason: 'BuildRunTimeout' } },
]

test.concurrent.each(failures)(
  'says why a build fails: $name',
  async ({ name, repository = 'team/app', source, build: own, says: said }) => {
    const result = await build(given().cluster, buildRun(TEAM, name, { ...sourceOf(repository), ...source }, own))
    keep(name, result)
    expect(result, JSON.stringify(result.run.status)).toMatchObject({ status: 'False', ...said })
  },
)

test.concurrent('ends a build that is canceled', async () => {
  const { cluster } = given()
  const manifest = buildRun(TEAM, 'canceled', sourceOf('team/slow'))
  await cluster.api.apply(manifest)
  keep('running', { run: await says(cluster, referenceTo(manifest), 'Running') })
  await cluster.api.patch(referenceTo(manifest), { spec: { state: 'BuildRunCanceled' } })
  const result = await ended(cluster, referenceTo(manifest))
  keep('canceled', result)
  expect(result, result.message).toMatchObject({ status: 'False', reason: 'BuildRunCanceled' })
})

test.concurrent('waits while the namespace has no quota left, and builds then', async () => {
  const { cluster } = given()
  const { api, until } = cluster
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota', namespace: FULL }, spec: { hard: { pods: '0' } } }
  await api.apply(quota)
  await until('the quota counts', async () => at(await api.get(referenceTo(quota)), 'status', 'hard', 'pods') === '0')
  const manifest = buildRun(FULL, 'quota', sourceOf('team/app'))
  await api.apply(manifest)
  keep('quota', { run: await says(cluster, referenceTo(manifest), 'ExceededResourceQuota') })
  await api.apply({ ...quota, spec: { hard: { pods: '5' } } })
  expect(await ended(cluster, referenceTo(manifest))).toMatchObject({ status: 'True' })
})
