// What runs, what is built and what the claim says, in every state of a build.
import { describe, expect, test } from 'vitest'
import type { EventDrivenServiceStatus } from '../../../src/claim/generated/types.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import type { Composition } from '../../../src/reconcile/compose.ts'
import {
  buildClaim,
  COMMIT,
  composeBuild,
  digest,
  failed,
  git,
  imageOf,
  readBranch,
  running,
  succeeded,
  wantedRun,
  withBuild,
} from '../../fixtures/build.ts'

const REPOSITORY = 'registry.example.com/apps/shop/orders'
const of = (letter: string) => `${REPOSITORY}@${digest(letter)}`

const version = (revision: string, more: JsonObject = {}) => buildClaim({ git: { ...git, revision }, ...more })
const [v1, v2, v3] = [version('v1.0.0'), version('v2.0.0'), version('v3.0.0')]
const [key1, run1] = wantedRun(v1)
const [key2, run2] = wantedRun(v2)
const [key3, run3] = wantedRun(v3)

const deployment = (image: string): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'orders', namespace: 'shop' },
  spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
})

const runsOf = ({ resources }: Composition) => resources.map(({ key }) => key).filter(key => key.startsWith('buildrun-'))
const conditionOf = ({ conditions }: Composition, type = 'BuildReady') => {
  const found = conditions.find(one => one.type === type)
  return found && `${found.ready} ${found.reason}`
}
/** The status after a first call, with which the next one begins. */
const statusAfter = (status: EventDrivenServiceStatus): JsonObject => ({ build: status.build }) as unknown as JsonObject

const built1 = statusAfter(composeBuild(v1, { [key1]: succeeded(run1) }).status)
const built12 = statusAfter(composeBuild(v2, { [key2]: succeeded(run2, 'b', '2026-11-28T09:00:00Z') }, built1).status)
const broken2 = failed(run2, 'Failed', 'step build exited with 1')

interface State {
  readonly says: string
  readonly claim: typeof v1
  readonly observed?: Readonly<Record<string, JsonObject>>
  readonly status?: JsonObject
  readonly image: string | undefined
  readonly runs: readonly string[]
  readonly build: string
}

const states: readonly State[] = [
  { says: 'first build: no workload before its image', claim: v1, image: undefined, runs: [key1], build: 'false Creating' },
  {
    says: 'first build runs',
    claim: v1,
    observed: { [key1]: running(run1) },
    image: undefined,
    runs: [key1],
    build: 'false Building',
  },
  { says: 'first build succeeded', claim: v1, observed: { [key1]: succeeded(run1) }, image: of('a'), runs: [key1], build: 'true Built' },
  {
    says: 'first build failed',
    claim: v1,
    observed: { [key1]: failed(run1, 'BuildRunTimeout', 'timed out') },
    image: undefined,
    runs: [key1],
    build: 'false BuildRunTimeout',
  },
  {
    says: 'rebuilding while the old image runs',
    claim: v2,
    observed: { [key1]: succeeded(run1), [key2]: running(run2) },
    status: built1,
    image: of('a'),
    runs: [key2],
    build: 'false Building',
  },
  {
    says: 'the second build failed: the old digest stays',
    claim: v2,
    observed: { [key2]: broken2 },
    status: built1,
    image: of('a'),
    runs: [key2],
    build: 'false Failed',
  },
  {
    says: 'after a failure: the failed build stays for its log',
    claim: v3,
    observed: { [key2]: broken2, [key3]: running(run3) },
    status: built1,
    image: of('a'),
    runs: [key3, key2],
    build: 'false Building',
  },
  {
    says: 'of two failed builds the last one stays',
    claim: v3,
    observed: {
      [key1]: failed(run1, 'Failed', 'x', { completionTime: '2026-11-28T07:00:00Z' }),
      [key2]: broken2,
      [key3]: succeeded(run3, 'c', '2026-11-28T10:00:00Z'),
    },
    image: of('c'),
    runs: [key3, key2],
    build: 'true Built',
  },
  {
    says: 'a build that is no longer asked for is deleted while it runs',
    claim: v3,
    observed: { [key2]: running(run2), [key3]: running(run3) },
    status: built1,
    image: of('a'),
    runs: [key3],
    build: 'false Building',
  },
  {
    says: 'canceled',
    claim: v2,
    observed: { [key2]: failed(run2, 'BuildRunCanceled', 'the BuildRun is canceled') },
    status: built1,
    image: of('a'),
    runs: [key2],
    build: 'false BuildRunCanceled',
  },
  {
    says: 'the strategy is missing',
    claim: v1,
    observed: { [key1]: failed(run1, 'ClusterBuildStrategyNotFound', 'clusterBuildStrategy buildah does not exist') },
    image: undefined,
    runs: [key1],
    build: 'false ClusterBuildStrategyNotFound',
  },
  {
    says: 'rollback to an older revision: no second build',
    claim: v1,
    observed: { [key2]: succeeded(run2, 'b', '2026-11-28T09:00:00Z') },
    status: built12,
    image: of('a'),
    runs: [],
    build: 'true Built',
  },
  {
    says: 'forward again: no second build',
    claim: v2,
    status: statusAfter(composeBuild(v1, {}, built12).status),
    image: of('b'),
    runs: [],
    build: 'true Built',
  },
  {
    says: 'the digest is lost from the status: the BuildRun has it',
    claim: v1,
    observed: { [key1]: succeeded(run1), deployment: deployment(of('a')) },
    image: of('a'),
    runs: [key1],
    build: 'true Built',
  },
  {
    says: 'the digest is lost with its BuildRun: the running image stays, and is built again',
    claim: v1,
    observed: { deployment: deployment(of('a')) },
    image: of('a'),
    runs: [key1],
    build: 'false Creating',
  },
  {
    says: 'from image to build: the old image runs until the first build succeeds',
    claim: v1,
    observed: { [key1]: running(run1), deployment: deployment('ghcr.io/acme/orders:1.0.0') },
    image: 'ghcr.io/acme/orders:1.0.0',
    runs: [key1],
    build: 'false Building',
  },
  {
    says: 'the BuildRun of the running image was deleted: nothing is built again',
    claim: v1,
    status: built1,
    image: of('a'),
    runs: [],
    build: 'true Built',
  },
  {
    says: 'a build without a digest',
    claim: v1,
    observed: { [key1]: { ...succeeded(run1), status: { conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded' }] } } },
    image: undefined,
    runs: [key1],
    build: 'false NoDigest',
  },
]

describe('the state of a build', () => {
  test.each(states)('$says', ({ claim, observed = {}, status = {}, image, runs, build }) => {
    const composition = composeBuild(claim, observed, status)
    expect({ image: imageOf(composition), runs: runsOf(composition), build: conditionOf(composition) }).toEqual({ image, runs, build })
    expect(conditionOf(composition, 'WorkloadReady') === 'false Waiting').toBe(image === undefined)
  })

  test.each(states)('$says: stays as it is with its own status', ({ claim, observed = {}, status = {} }) => {
    const first = composeBuild(claim, observed, status)
    const second = composeBuild(claim, observed, statusAfter(first.status))
    expect(second.status.build).toEqual(first.status.build)
    expect(second.resources.map(({ desired }) => desired)).toEqual(first.resources.map(({ desired }) => desired))
  })

  test.each(states)('$says: a build never runs again by itself', ({ claim, observed = {}, status = {} }) => {
    const gone = Object.fromEntries(Object.entries(observed).filter(([key]) => !key.startsWith('buildrun-')))
    const first = composeBuild(claim, observed, status)
    const { image } = first.status.build ?? {}
    const second = composeBuild(claim, gone, statusAfter(first.status))
    if (image !== undefined && conditionOf(first) === 'true Built') expect(runsOf(second)).toEqual([])
  })
})

test('the status has the build and those before it', () => {
  expect(built12).toEqual({
    build: {
      name: run2.metadata && (run2.metadata as JsonObject).name,
      image: of('b'),
      revision: 'v2.0.0',
      commit: COMMIT,
      startedAt: '2026-11-28T08:00:00Z',
      finishedAt: '2026-11-28T09:00:00Z',
      history: [
        expect.objectContaining({ reason: 'Built', image: of('b'), revision: 'v2.0.0' }),
        expect.objectContaining({ reason: 'Built', image: of('a'), revision: 'v1.0.0' }),
      ],
    },
  })
})

test('the history ends with the fifth build, and the running image survives it', () => {
  let status = built1
  for (let count = 1; count <= 8; count++) {
    const asked = version(`v2.0.${count}`)
    const [key, run] = wantedRun(asked, {}, status)
    const broken = failed(run, 'Failed', 'x', { completionTime: `2026-11-28T09:0${count}:00Z` })
    const composition = composeBuild(asked, { [key]: broken }, status)
    expect(imageOf(composition)).toBe(of('a'))
    status = statusAfter(composition.status)
  }
  expect((status.build as JsonObject).history).toHaveLength(5)
  expect(runsOf(composeBuild(v1, {}, status))).toEqual([])
})

describe('a followed branch', () => {
  const followed = buildClaim({ git: { ...git, revision: 'main', follow: true } })
  const read = (commit: string) => readBranch(git.url, 'main', commit)

  test('is read before anything is built', () => {
    const composition = composeBuild(followed)
    expect(composition.resources.map(({ key }) => key)).toEqual(['git-repository'])
    expect(conditionOf(composition)).toBe('false Creating')
  })

  test('builds each commit under a name of its own', () => {
    const [first, second] = [COMMIT, COMMIT.replace('3f', '4a')].map(commit => wantedRun(followed, { 'git-repository': read(commit) }))
    expect(first?.[0]).not.toBe(second?.[0])
    expect(first?.[1].spec).toMatchObject({ build: { spec: { source: { git: { revision: COMMIT } } } } })
  })

  test('lets a running build finish before it builds the next commit', () => {
    const next = COMMIT.replace('3f', '4a')
    const [key, run] = wantedRun(followed, { 'git-repository': read(COMMIT) })
    const [nextKey] = wantedRun(followed, { 'git-repository': read(next) })
    const during = { 'git-repository': read(next), [key]: running(run) }
    expect(runsOf(composeBuild(followed, during))).toEqual([key])
    const finished = composeBuild(followed, { ...during, [key]: succeeded(run) })
    expect([runsOf(finished), imageOf(finished)]).toEqual([[nextKey], of('a')])
  })

  test('does not wait for a build that has not started', () => {
    const next = COMMIT.replace('3f', '4a')
    const [key, run] = wantedRun(followed, { 'git-repository': read(COMMIT) })
    const [nextKey] = wantedRun(followed, { 'git-repository': read(next) })
    const waits = { ...run, status: { conditions: [{ type: 'Succeeded', status: 'Unknown', reason: 'ExceededResourceQuota' }] } }
    expect(runsOf(composeBuild(followed, { 'git-repository': read(next), [key]: waits }))).toEqual([nextKey])
  })

  test('does not wait for a build of another directory', () => {
    const [key, run] = wantedRun(followed, { 'git-repository': read(COMMIT) })
    const moved = buildClaim({ git: { ...git, revision: 'main', follow: true, contextDir: 'other' } })
    const [movedKey] = wantedRun(moved, { 'git-repository': read(COMMIT) })
    expect(runsOf(composeBuild(moved, { 'git-repository': read(COMMIT), [key]: running(run) }))).toEqual([movedKey])
  })

  test('gives the same build as its commit', () => {
    const [key] = wantedRun(followed, { 'git-repository': read(COMMIT) })
    expect(wantedRun(version(COMMIT))[0]).toBe(key)
  })

  test.each([
    { says: 'another branch', repository: readBranch(git.url, 'next', COMMIT) },
    { says: 'another repository', repository: readBranch('https://github.com/acme/other', 'main', COMMIT) },
  ])('does not build the commit of $says', ({ repository }) => {
    expect(runsOf(composeBuild(followed, { 'git-repository': repository }))).toEqual([])
  })

  test('reports what Flux says of a branch that it cannot read', () => {
    const condition = { type: 'Ready', status: 'False', reason: 'GitOperationFailed', message: 'authentication required' }
    const broken = { ...read(COMMIT), status: { conditions: [condition] } }
    const { conditions } = composeBuild(followed, { 'git-repository': broken }, built1)
    expect(conditions.find(({ type }) => type === 'BuildReady')).toMatchObject({
      ready: false,
      reason: 'GitOperationFailed',
      message: "Flux can't read branch main (GitRepository orders-build): authentication required",
    })
  })
})

describe('what builds again', () => {
  const base = { git, strategy: 'buildah', params: [{ name: 'a', value: '1' }], output: { image: 'ghcr.io/acme/orders' } }
  const keyOf = (build: JsonObject, platform = withBuild()) => wantedRun(buildClaim(build, {}, platform))[0]

  test.each([
    { says: 'the URL', build: { ...base, git: { ...git, url: 'https://github.com/acme/other' } } },
    { says: 'the revision', build: { ...base, git: { ...git, revision: 'v1.4.3' } } },
    { says: 'the directory', build: { ...base, git: { ...git, contextDir: 'a' } } },
    { says: 'the secret of the repository', build: { ...base, git: { ...git, cloneSecret: 'a' } } },
    { says: 'the strategy', build: { ...base, strategy: 'ko' } },
    { says: 'a parameter', build: { ...base, params: [{ name: 'a', value: '2' }] } },
    { says: 'the repository of the image', build: { ...base, output: { image: 'ghcr.io/acme/other' } } },
    { says: 'the secret of the registry', build: { ...base, output: { ...base.output, pushSecret: 'a' } } },
    { says: 'the platforms', build: { ...base, output: { ...base.output, platforms: [{ os: 'linux', arch: 'arm64' }] } } },
    { says: 'the timeout', build: { ...base, timeout: '5m' } },
    { says: 'the attempt', build: { ...base, attempt: '2' } },
  ])('$says', ({ build }) => {
    expect(keyOf(build)).not.toBe(keyOf(base))
  })

  test.each([
    { says: 'the secret of the platform', platform: withBuild({ pushSecret: 'other' }) },
    { says: 'the registry of the platform, if the claim has one', platform: withBuild({ registry: 'other' }) },
    { says: 'the timeout of the platform', platform: { ...withBuild(), defaults: { build: { timeout: '5m' } } } },
  ])('not $says', ({ platform }) => {
    expect(keyOf(base, platform)).toBe(keyOf(base))
  })

  test('two claims of one repository build for themselves', () => {
    const [one, other] = ['orders', 'billing'].map(name => wantedRun({ ...buildClaim(base), name })[1].metadata as JsonObject)
    expect(one?.name).not.toBe(other?.name)
  })
})

test('a claim without a build has nothing of it', () => {
  const { build: _, ...plain } = v1
  const composition = composeBuild({ ...plain, image: 'nginx' }, { [key1]: succeeded(run1) }, built1)
  expect([runsOf(composition), composition.status.build, conditionOf(composition)]).toEqual([[], undefined, undefined])
})

test('the pods say which commit they run', () => {
  const { resources } = composeBuild(v1, { [key1]: succeeded(run1) })
  const pods = resources.find(({ key }) => key === 'deployment')?.manifest.spec as JsonObject
  expect(pods.template).toMatchObject({ metadata: { annotations: { 'platform.bizmatters.io/commit': COMMIT } } })
})

test('a Knative Service runs the built image too', () => {
  const knative = buildClaim({ git }, { runtime: 'Knative', nats: undefined } as unknown as JsonObject)
  const [key, run] = wantedRun(knative)
  expect(imageOf(composeBuild(knative, { [key]: succeeded(run) }))).toBe(of('a'))
})
