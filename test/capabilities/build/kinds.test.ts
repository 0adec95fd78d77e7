import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import {
  buildClaim,
  composeBuild,
  failed,
  fullBuild,
  git,
  readBranch,
  running,
  succeeded,
  wantedRun,
  withBuild,
} from '../../fixtures/build.ts'

const COMMIT = '3f2a91c0d4e5b6a79880716253443526170819fa'

describe('BuildRun', () => {
  test('is complete', () => {
    const full = buildClaim(fullBuild)
    const [key, run] = wantedRun(full, { 'git-repository': readBranch(git.url, 'main', COMMIT) })
    const [, hash = ''] = /^buildrun-([0-9a-f]{10})$/.exec(key) ?? []
    expect(run).toEqual({
      apiVersion: 'shipwright.io/v1beta1',
      kind: 'BuildRun',
      metadata: { name: `orders-${hash}`, namespace: 'shop', labels: expect.any(Object) },
      spec: {
        serviceAccount: '.generate',
        build: {
          spec: {
            source: { type: 'Git', git: { url: git.url, revision: COMMIT, cloneSecret: 'orders-git' }, contextDir: 'services/orders' },
            strategy: { kind: 'ClusterBuildStrategy', name: 'buildah' },
            paramValues: [{ name: 'build-args', values: [{ value: 'NODE_ENV=production' }] }],
            output: {
              image: `ghcr.io/acme/orders-worker:${hash}`,
              pushSecret: 'orders-registry',
              timestamp: 'SourceTimestamp',
              platforms: [{ os: 'linux', arch: 'arm64' }],
            },
            timeout: '15m',
          },
        },
      },
    })
  })

  const specOf = (build: JsonObject, platform = withBuild()) =>
    (wantedRun(buildClaim({ git, ...build }, {}, platform))[1].spec as { build: { spec: JsonObject } }).build.spec

  test.each([
    {
      says: 'takes the strategy and parameters of the language',
      build: { language: 'nodejs' },
      spec: { strategy: { name: 'buildpacks-v3' }, paramValues: [{ name: 'run-image', value: 'node:24' }] },
    },
    {
      says: 'prefers the parameters of the claim',
      build: { language: 'nodejs', params: [{ name: 'run-image', value: 'mine' }] },
      spec: { paramValues: [{ name: 'run-image', value: 'mine' }] },
    },
    { says: 'takes the default strategy of the platform', build: {}, spec: { strategy: { name: 'buildah' } } },
    {
      says: "pushes to the platform's registry",
      build: {},
      spec: { output: { image: expect.stringMatching(/^registry\.example\.com\/apps\/shop\/orders:[0-9a-f]{10}$/) } },
    },
    {
      says: "uses the platform's secret",
      build: {},
      platform: withBuild({ pushSecret: 'registry', insecure: true }),
      spec: { output: { pushSecret: 'registry', insecure: true } },
    },
    { says: "uses the claim's secret", build: { output: { pushSecret: 'mine' } }, spec: { output: { pushSecret: 'mine' } } },
    { says: 'has the default timeout', build: {}, spec: { timeout: '30m' } },
  ])('$says', ({ build, platform, spec }) => {
    expect(specOf(build, platform)).toMatchObject(spec)
  })

  test("uses the platform's ServiceAccount", () => {
    const [, run] = wantedRun(buildClaim({ git }, {}, withBuild({ serviceAccount: 'builder' })))
    expect(run.spec).toMatchObject({ serviceAccount: 'builder' })
  })

  test('has nothing that makes Shipwright delete it, because it would be built again', () => {
    expect(JSON.stringify(specOf({}))).not.toMatch(/retention|ttl|limit/i)
  })

  const claim = buildClaim({ git })
  const [key, run] = wantedRun(claim)
  const name = (run.metadata as { name: string }).name
  const log = `kubectl -n shop logs -l buildrun.shipwright.io/name=${name} --all-containers`
  const again = 'To build the same revision again, change spec.build.attempt.'
  const location = { pod: `${name}-pod`, container: 'step-build' }

  test.each([
    {
      says: 'runs',
      object: running(run),
      reason: 'Building',
      message: `BuildRun ${name} builds revision v1.4.2. Log: ${log}`,
    },
    {
      says: 'waits for quota',
      object: running(
        run,
        'ExceededResourceQuota',
        'TaskRun Pod exceeded available resources: pods "x" is forbidden: exceeded quota: builds',
      ),
      reason: 'Building',
      message: `BuildRun ${name} builds revision v1.4.2. It waits: exceeded quota: builds. Log: ${log}`,
    },
    {
      says: 'succeeded',
      object: succeeded(run),
      reason: 'Built',
      message: `Built registry.example.com/apps/shop/orders@sha256:${'a'.repeat(64)} from commit ${COMMIT}.`,
    },
    {
      says: 'failed with details',
      object: failed(run, 'Failed', 'buildrun step failed', {
        failureDetails: { reason: 'GitRevisionNotFound', message: 'The specified revision v1.4.2 was not found', location },
      }),
      reason: 'GitRevisionNotFound',
      message: `BuildRun ${name} failed: The specified revision v1.4.2 was not found. Log: kubectl -n shop logs ${name}-pod -c step-build ${again}`,
    },
    {
      says: 'failed with no more than a step',
      object: failed(
        run,
        'Failed',
        `buildrun step step-build failed, for detailed information: kubectl --namespace shop logs ${name}-pod`,
        {
          failureDetails: { location },
        },
      ),
      reason: 'Failed',
      message: `BuildRun ${name} failed: step build failed. Log: kubectl -n shop logs ${name}-pod -c step-build ${again}`,
    },
    {
      says: 'failed without details',
      object: failed(run, 'BuildRunTimeout', 'BuildRun orders failed to finish within "30m0s".'),
      reason: 'BuildRunTimeout',
      message: `BuildRun ${name} failed: BuildRun orders failed to finish within "30m0s". Log: ${log} ${again}`,
    },
  ])('$says', ({ object, reason, message }) => {
    const { conditions } = composeBuild(claim, { [key]: object })
    expect(conditions.find(({ type }) => type === 'BuildReady')).toMatchObject({ reason, message })
  })

  test('says after a failure that the previous image keeps running', () => {
    const status = composeBuild(claim, { [key]: succeeded(run) }).status as unknown as JsonObject
    const next = buildClaim({ git: { ...git, revision: 'v1.4.3' } })
    const [nextKey, nextRun] = wantedRun(next, {}, status)
    const { conditions } = composeBuild(next, { [nextKey]: failed(nextRun, 'Failed', 'no') }, status)
    expect(conditions.find(({ type }) => type === 'BuildReady')?.message).toContain('no. The previous image keeps running.')
  })
})

test('GitRepository is complete', () => {
  const { resources } = composeBuild(buildClaim(fullBuild))
  expect(resources.find(({ key }) => key === 'git-repository')?.desired).toEqual({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'orders-build', namespace: 'shop', labels: expect.any(Object) },
    spec: { interval: '1m', url: git.url, ref: { branch: 'main' }, secretRef: { name: 'orders-git' } },
  })
})
