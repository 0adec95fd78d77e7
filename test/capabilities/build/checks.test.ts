import { expect, test } from 'vitest'
import { sentence } from '../../../src/claim/findings.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../../src/platform/platform.ts'
import { validateClaim } from '../../../src/reconcile/parse-claim.ts'
import { buildDocument, git, withBuild } from '../../fixtures/build.ts'

const judge = (build: JsonObject, platform: Platform) =>
  validateClaim(buildDocument({ git, ...build }), platform).findings.map(finding => `${sentence(finding)} [${finding.code}]`)

const { registry: _, ...noRegistry } = withBuild().build ?? { insecure: false }

test.each([
  {
    says: 'a platform without builds',
    build: {},
    platform: builtInPlatform,
    finding:
      "spec.build: is not supported here: ask the platform team to install Shipwright and to set build in the function's input [UNSUPPORTED]",
  },
  {
    says: 'a language that the platform does not have',
    build: { language: 'python' },
    platform: withBuild({ languages: { nodejs: { strategy: 'a' }, go: { strategy: 'b' } } }),
    finding: "spec.build.language: must be one of [nodejs, go], got 'python' [NOT_ALLOWED]",
  },
  {
    says: 'a language on a platform without any',
    build: { language: 'go' },
    platform: withBuild({ languages: {} }),
    finding:
      "spec.build.language: is not supported here: name a strategy, or ask the platform team to set build.languages.go in the function's input [UNSUPPORTED]",
  },
  {
    says: 'no registry',
    build: {},
    platform: { ...withBuild(), build: noRegistry },
    finding: 'spec.build.output.image: required: the platform has no registry for builds [REQUIRED]',
  },
  {
    says: 'a registry that the policy does not allow',
    build: { output: { image: 'quay.io/acme/orders' } },
    platform: { ...withBuild(), policy: { maxGracePeriod: '1h', registries: ['ghcr.io'] } },
    finding: "spec.build.output.image: must come from one of [ghcr.io] on this platform, got 'quay.io/acme/orders' [POLICY]",
  },
])('refuses $says', ({ build, platform, finding }) => {
  expect(judge(build, platform)).toEqual([finding])
})

test.each([
  {
    says: 'an empty input',
    build: { output: { image: 'ghcr.io/acme/orders' } },
    platform: { ...builtInPlatform, build: { insecure: false } },
  },
  { says: 'a policy of digests', build: {}, platform: { ...withBuild(), policy: { maxGracePeriod: '1h', digest: 'Required' as const } } },
])('accepts $says', ({ build, platform }) => {
  expect(judge(build, platform)).toEqual([])
})
