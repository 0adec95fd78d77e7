// Validates rendered manifests with Knative's admission (knative.dev/serving and knative.dev/eventing, see admission/go.mod) and
// with the schemas of its CRDs.
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { exampleClaims, platformOf } from '../../../scripts/generate/examples.ts'
import { cesqlProblem } from '../../../src/capabilities/knative-eventing/cesql.ts'
import { standInKnativeService } from '../../../src/capabilities/knative-serving/knative-service.ts'
import type { ResolvedClaim } from '../../../src/claim/resolved-claim.ts'
import { at, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../../src/platform/platform.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { claims } from '../../fixtures/claims.ts'
import { testWith } from '../../fixtures/require-program.ts'
import { admit } from './admission.ts'
import { crdSchemas } from './crds.ts'

const goTest = testWith('go')
const GENERATED = 500

/** The Knative manifests of a claim, including stand-ins. */
function rendered(document: JsonObject, platform: Platform = builtInPlatform): JsonObject[] {
  const parsed = parseClaim(document, platform)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  const claim = withImage(parsed.claim)
  const standIn = claim.runtime === 'Knative' ? standInKnativeService.build(claim, 'new') : undefined
  const manifests = compose(claim, platform, {}).resources.map(({ manifest }) => manifest)
  return [...manifests, ...(standIn ? [standIn] : [])].filter(({ apiVersion }) => apiVersion.includes('.knative.dev/'))
}

/** As if its image were built. */
function withImage({ build, ...claim }: ResolvedClaim): ResolvedClaim {
  return build === undefined ? claim : { ...claim, image: `${build.image}@sha256:${'0'.repeat(64)}` }
}

const ofExamples = () => exampleClaims().flatMap(example => rendered(example.claim, platformOf(example)))

const isOfKnative = ({ spec }: JsonObject) => at(spec, 'runtime') === 'Knative' || at(spec, 'eventing') !== undefined

/** The given number of claims that use Knative. */
const generated = () => fc.sample(claims().filter(isOfKnative), { numRuns: GENERATED, seed: 4 })

describe('Knative accepts the manifests of', () => {
  goTest.each([
    { says: 'all examples', render: ofExamples },
    { says: `${GENERATED} generated claims`, render: () => generated().flatMap(document => rendered(document)) },
  ])('$says', ({ render }) => {
    const manifests = render()
    expect(manifests.length).toBeGreaterThan(5)
    const verdicts = admit(manifests)
    expect(verdicts.length).toBe(manifests.length)
    const refused = verdicts.flatMap((verdict, index) => (verdict.refused ? [{ ...verdict, manifest: manifests[index] }] : []))
    expect(refused).toEqual([])
    console.log(`${manifests.length} manifests, none refused`)
  })

  goTest('an init container, where the cluster has the flag', () => {
    const platform = { ...builtInPlatform, features: { ...builtInPlatform.features, knativeInitContainers: true } }
    const manifests = generated().flatMap(document => {
      const { spec, ...rest } = document
      if (spec.runtime !== 'Knative') return []
      return rendered({ ...rest, spec: { ...spec, initContainer: { command: ['migrate'] } } }, platform)
    })
    expect(admit(manifests, ['--init-containers']).filter(({ refused }) => refused)).toEqual([])
    expect(admit(manifests).filter(({ refused }) => refused)).not.toEqual([])
  })

  goTest('the schemas of the CRDs take it too', () => {
    const schemas = crdSchemas()
    const seen = new Set<string>()
    for (const manifest of [...ofExamples(), ...generated().flatMap(document => rendered(document))]) {
      const kind = `${manifest.apiVersion}/${manifest.kind}`
      const validate = schemas.get(kind)
      seen.add(kind)
      expect(validate, `a schema for ${kind}`).toBeDefined()
      if (!validate?.(manifest)) expect({ kind, errors: validate?.errors, manifest }).toBeUndefined()
    }
    expect([...seen].sort()).toEqual([
      'eventing.knative.dev/v1/Broker',
      'eventing.knative.dev/v1/Trigger',
      'serving.knative.dev/v1/Service',
      'sources.knative.dev/v1/KafkaSource',
    ])
  })
})

describe('Knative rejects', () => {
  const service = (change: (spec: JsonObject) => JsonObject): JsonObject => {
    const [manifest] = rendered({
      apiVersion: 'platform.bizmatters.io/v1alpha1',
      kind: 'EventDrivenService',
      metadata: { name: 'orders', namespace: 'shop' },
      spec: { image: 'ghcr.io/acme/orders:1', runtime: 'Knative' },
    })
    return { ...manifest, spec: change(manifest?.spec as JsonObject) }
  }

  // Proves that the program validates.
  goTest.each<{ says: string; manifest: JsonObject; refused: string }>([
    {
      says: 'traffic that does not add up to 100',
      manifest: service(spec => ({ ...spec, traffic: [{ latestRevision: true, percent: 90 }] })),
      refused: 'sum to 90, want 100',
    },
    { says: 'an unknown field', manifest: service(spec => ({ ...spec, replicas: 1 })), refused: 'unknown field "replicas"' },
  ])('$says', ({ manifest, refused }) => {
    expect(admit([manifest])[0]?.refused).toContain(refused)
  })
})

goTest('our reader of CESQL refuses what Knative refuses', () => {
  const word = fc.constantFrom(
    ...['AND', 'or', 'XOR', 'NOT', 'LIKE', 'exists', 'IN', 'TRUE', 'false', 'type', 'subject1', 'a', 'LENGTH', 'is_bool', '1a'],
    ...['(', ')', '(', ')', ',', '*', '/', '%', '+', '-', '=', '!=', '<>', '>=', '<=', '<', '>'],
    ...["'x%'", '"a""b"', "'it\\'s'", '""', '1', '+2', '-3', '2147483648', '-2147483648', '007'],
  )
  const value = fc.constantFrom('type', "'a'", '1', 'TRUE', 'LENGTH(type)', "CONCAT('a', b)", 'EXISTS id', "(a = 'b')")
  const sensible = fc
    .array(
      fc.tuple(
        value,
        fc.constantFrom('AND', 'OR', '=', '!=', '<', '+', '%', "LIKE 'x%' AND", 'IN (1, a) OR', 'NOT IN (b) XOR', '= NOT', '- -'),
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map(parts => `${parts.map(([a, b]) => `${a} ${b}`).join(' ')} a`)
  const expressions = fc.sample(
    fc.oneof(
      sensible,
      fc.array(word, { minLength: 1, maxLength: 7 }).chain(words => fc.constantFrom(words.join(' '), words.join(''))),
    ),
    { numRuns: 4000, seed: 4 },
  )
  const manifests = expressions.map(
    (cesql): JsonObject => ({
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name: 'a', namespace: 'b' },
      spec: { broker: 'c', filters: [{ cesql }] as Json, subscriber: { uri: 'http://d' } },
    }),
  )
  const verdicts = admit(manifests)
  const apart = expressions.flatMap((cesql, index) => {
    const theirs = verdicts[index]?.refused
    const ours = cesqlProblem(cesql)
    return (theirs === undefined) === (ours === undefined) ? [] : [{ cesql, theirs, ours }]
  })
  expect(apart).toEqual([])
  expect(verdicts.filter(({ refused }) => refused === undefined).length).toBeGreaterThan(500)
})
