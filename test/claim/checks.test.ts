import { expect, test } from 'vitest'
import { sentence } from '../../src/claim/findings.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { validateClaim } from '../../src/reconcile/parse-claim.ts'
import { claim, knativeClaim } from '../fixtures/claims.ts'

const withInitContainers: Platform = { ...builtInPlatform, features: { ...builtInPlatform.features, knativeInitContainers: true } }
const key = (envName: string) => ({ secretKey: 'k', envName })
const triggers = (...names: string[]) => ({ eventing: { triggers: names.map(name => ({ name })) } })
const tagged = (tag: string) => ({ knative: { traffic: [{ latestRevision: true, percent: 100, tag }] } })
const named = (length: number, spec: Parameters<typeof claim>[0]) => claim(spec, { name: 'n'.repeat(length) })
const namedKnative = (length: number, spec: Parameters<typeof claim>[0]) => named(length, { runtime: 'Knative', ...spec })
const initContainer = { command: ['migrate'] }

test.each([
  {
    says: 'variables of different names',
    document: claim({ env: [{ name: 'A', value: '' }], secretRefs: [{ name: 's', env: [key('B')] }] }),
    finds: [],
  },
  {
    says: 'scratch space at /tmp with a read-only root',
    document: claim({ rootFilesystem: 'ReadOnly', files: [{ mountPath: '/tmp', scratch: '1Gi' }] }),
    finds: [],
  },
  { says: 'a secret at /tmp with a writable root', document: claim({ files: [{ mountPath: '/tmp', secret: 's' }] }), finds: [] },
  {
    says: 'a secret at /tmp with a read-only root',
    document: claim({
      rootFilesystem: 'ReadOnly',
      files: [
        { mountPath: '/etc/a', secret: 's' },
        { mountPath: '/tmp', secret: 's' },
      ],
    }),
    finds: ['spec.files[1]: must be scratch space with spec.rootFilesystem ReadOnly, because programs write to /tmp [CONFLICT]'],
  },
  { says: 'the same key under two names', document: claim({ secretRefs: [{ name: 's', env: [key('A'), key('B')] }] }), finds: [] },
  {
    says: 'names that differ in case',
    document: claim({
      env: [
        { name: 'a', value: '' },
        { name: 'A', value: '' },
      ],
    }),
    finds: [],
  },
  {
    says: 'a variable and a key of a secret',
    document: claim({
      env: [
        { name: 'B', value: '' },
        { name: 'A', value: '' },
      ],
      secretRefs: [{ name: 's', env: [key('C'), key('A')] }],
    }),
    finds: ["spec.secretRefs[0].env[1].envName: must not be the same as spec.env[1].name, got 'A' [DUPLICATE]"],
  },
  {
    says: 'two keys of one secret',
    document: claim({ secretRefs: [{ name: 's', env: [key('A'), key('A')] }] }),
    finds: ["spec.secretRefs[0].env[1].envName: must not be the same as spec.secretRefs[0].env[0].envName, got 'A' [DUPLICATE]"],
  },
  {
    says: 'keys of two secrets, and a third',
    document: claim({
      secretRefs: [
        { name: 's', env: [key('A')] },
        { name: 't', env: [key('A')] },
        { name: 'u', env: [key('A')] },
      ],
    }),
    finds: [
      "spec.secretRefs[1].env[0].envName: must not be the same as spec.secretRefs[0].env[0].envName, got 'A' [DUPLICATE]",
      "spec.secretRefs[2].env[0].envName: must not be the same as spec.secretRefs[0].env[0].envName, got 'A' [DUPLICATE]",
    ],
  },
  {
    says: 'a variable named like a method',
    document: claim({ env: [{ name: 'constructor', value: '' }], secretRefs: [{ name: 's', env: [key('__proto__')] }] }),
    finds: [],
  },
  { says: "Knative's variables for a Deployment", document: claim({ secretRefs: [{ name: 's', env: [key('K_SERVICE')] }] }), finds: [] },
  ...['K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'].map(name => ({
    says: `Knative's ${name} from a secret`,
    document: knativeClaim({ secretRefs: [{ name: 's', env: [key('A'), key(name)] }] }),
    finds: [
      `spec.secretRefs[0].env[1].envName: with runtime Knative must be none of [K_SERVICE, K_CONFIGURATION, K_REVISION], which Knative sets itself, got '${name}' [RESERVED]`,
    ],
  })),
  { says: 'a trigger that fits after the name', document: named(31, triggers('t'.repeat(31))), finds: [] },
  {
    says: 'a trigger that does not fit',
    document: named(56, triggers('fits', 't'.repeat(8))),
    finds: [
      `spec.eventing.triggers[1].name: must be shorter by 2: the Trigger '${'n'.repeat(56)}-${'t'.repeat(8)}' may have at most 63 characters [NAME]`,
    ],
  },
  { says: 'a tag that fits before the claim name', document: namedKnative(31, tagged('t'.repeat(31))), finds: [] },
  {
    says: 'a tag that does not fit',
    document: namedKnative(32, tagged('t'.repeat(31))),
    finds: [
      `spec.knative.traffic[0].tag: must be shorter by 1: the route '${'t'.repeat(31)}-${'n'.repeat(32)}' may have at most 63 characters [NAME]`,
    ],
  },
  { says: 'an init container of a Deployment', document: claim({ initContainer }), finds: [] },
  {
    says: 'an init container with Knative',
    document: knativeClaim({ initContainer }),
    finds: [
      "spec.initContainer: is not supported with runtime Knative here: ask the platform team to enable the Knative feature flag kubernetes.podspec-init-containers and set features.knativeInitContainers in the function's input [UNSUPPORTED]",
    ],
  },
  {
    says: 'an init container with Knative, if the platform has the feature',
    document: knativeClaim({ initContainer }),
    platform: withInitContainers,
    finds: [],
  },
  {
    says: 'several mistakes at once',
    document: namedKnative(56, {
      ...triggers('t'.repeat(8)),
      initContainer,
      env: [{ name: 'A', value: '' }],
      secretRefs: [{ name: 's', env: [key('A')] }],
    }),
    finds: [/^spec\.secretRefs.*DUPLICATE/, /^spec\.initContainer.*UNSUPPORTED/, /^spec\.eventing.*NAME/].map(line =>
      expect.stringMatching(line),
    ),
  },
])('$says', ({ document, platform = builtInPlatform, finds }) => {
  expect(validateClaim(document, platform).findings.map(finding => `${sentence(finding)} [${finding.code}]`)).toEqual(finds)
})

test('reports findings of schema and checks together', () => {
  const secretRefs = [{ name: 's', env: [key('A'), key('A')] }]
  const { findings } = validateClaim(claim({ size: 'huge', secretRefs }), builtInPlatform)
  expect(findings.map(({ code }) => code)).toEqual(['NOT_ALLOWED', 'DUPLICATE'])
})
