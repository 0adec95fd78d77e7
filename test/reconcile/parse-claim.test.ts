import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatPath, sentence } from '../../src/claim/findings.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { parseClaim, validateClaim } from '../../src/reconcile/parse-claim.ts'
import { claim, claims, compositeOf, deepFreeze, mutate, mutations, RUNS } from '../fixtures/claims.ts'

const parse = (document: JsonObject) => parseClaim(document, builtInPlatform)

describe('parses the same claim from', () => {
  const document = claim({ httpPort: 3000 })
  test.each([
    { says: 'itself, or a namespaced composite', composite: document },
    { says: 'the composite that Crossplane created for it', composite: compositeOf(document) },
    {
      says: 'a namespaced composite with the fields of Crossplane',
      composite: { ...document, spec: { ...document.spec, crossplane: { resourceRefs: [] } } },
    },
    {
      says: 'the claim as the API server stores it',
      composite: { ...document, spec: { ...document.spec, runtime: 'Deployment', sessionAffinity: 'None' } },
    },
  ])('$says', ({ composite }) => {
    expect(parse(composite)).toEqual(parse(document))
  })

  test('accepts a missing namespace in a file, but not in a composite', () => {
    const homeless = claim({}, { namespace: undefined })
    expect(validateClaim(homeless, builtInPlatform).findings).toEqual([])
    const parsed = parse(homeless)
    expect(!parsed.ok && parsed.findings.map(({ code }) => code)).toEqual(['NO_NAMESPACE'])
  })

  test('returns all findings at once', () => {
    const parsed = parse(claim({ image: undefined, size: 'huge' }, { name: undefined, namespace: undefined }))
    expect(!parsed.ok && parsed.findings.map(finding => `${formatPath(finding.path)} ${finding.code}`)).toEqual([
      'metadata.namespace NO_NAMESPACE',
      'metadata.name REQUIRED',
      'spec.size NOT_ALLOWED',
      'spec.image REQUIRED',
    ])
  })
})

test('law: accepts every valid claim', () => {
  fc.assert(
    fc.property(claims(), valid => {
      expect(validateClaim(deepFreeze(valid), builtInPlatform).findings.map(sentence)).toEqual([])
      expect(parse(compositeOf(valid)).ok).toBe(true)
    }),
    { numRuns: RUNS },
  )
})

test.each(mutations)('law: any valid claim with $says is refused there', mutation => {
  fc.assert(
    fc.property(claims(), valid => {
      const { findings } = validateClaim(mutate(valid, mutation), builtInPlatform)
      expect(findings.map(({ code, path }) => `${formatPath(path)} ${code}`)).toContain(`${mutation.path} ${mutation.code}`)
    }),
    { numRuns: Math.ceil(RUNS / 20) },
  )
})
