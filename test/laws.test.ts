// Properties of every claim. FC_RUNS sets the number of runs.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ResolvedClaim } from '../src/claim/resolved-claim.ts'
import { at, isObject, type Json, type JsonObject } from '../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../src/platform/platform.ts'
import { type Composition, compose } from '../src/reconcile/compose.ts'
import { findingsMessage } from '../src/reconcile/conditions.ts'
import type { Observed } from '../src/reconcile/observe.ts'
import { parseClaim, validateClaim } from '../src/reconcile/parse-claim.ts'
import { violations } from './capabilities/workload/pod-security.ts'
import { type ClaimDocument, claims, compositeOf, deepFreeze, RUNS, reversed } from './fixtures/claims.ts'

const wrappedPlatform: Platform = { ...builtInPlatform, composeAs: 'ProviderKubernetes' }
const platforms = [
  { composeAs: 'Native', platform: deepFreeze(builtInPlatform) },
  { composeAs: 'ProviderKubernetes', platform: deepFreeze(wrappedPlatform) },
]

function parse(document: JsonObject): ResolvedClaim {
  const parsed = parseClaim(deepFreeze(document), builtInPlatform)
  if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
  return parsed.claim
}

const law = (property: (valid: ClaimDocument) => void, numRuns = RUNS) =>
  fc.assert(
    fc.property(claims(), valid => {
      property(valid)
    }),
    { numRuns },
  )

const composed = (document: ClaimDocument, observed: Observed = {}) => compose(parse(document), builtInPlatform, deepFreeze(observed))
const manifests = (document: ClaimDocument) => composed(document).resources.map(({ manifest }) => manifest)

describe('defaults', () => {
  test('are idempotent', () => {
    law(valid => {
      const { value } = validateClaim(valid, builtInPlatform)
      expect(validateClaim(value, builtInPlatform)).toEqual({ value, findings: [] })
      expect(parse(value as JsonObject)).toEqual(parse(valid))
    })
  })

  test('change nothing if the claim sets them explicitly', () => {
    law(valid => {
      const { layers: _, ...claim } = parse(valid)
      const { size, scaling, rootFilesystem, sessionAffinity, runtime, knative } = claim
      const { useHttps: _https, ...nats } = claim.nats ?? {}
      // Derived from the latency, which excludes a threshold of the claim's own.
      const { lagThreshold, ...bounds } = scaling
      const said = {
        ...valid.spec,
        size,
        scaling: at(valid, 'spec', 'processing', 'targetLatency') === undefined ? { ...bounds, lagThreshold } : bounds,
        rootFilesystem,
        sessionAffinity,
        runtime,
        ...(claim.nats && { nats }),
      }
      const spec = { ...said, ...(runtime === 'Knative' && { knative: knative as unknown as JsonObject }) } as unknown as JsonObject
      const { layers: __, ...again } = parse({ ...valid, spec })
      expect(again).toEqual(claim)
    })
  })
})

describe('compose', () => {
  test('ignores the order of keys, to the byte', () => {
    law(valid => expect(JSON.stringify(composed(reversed(valid)))).toBe(JSON.stringify(composed(valid))))
  })

  test('composes the same for a claim and its composite', () => {
    law(valid => expect(compose(parse(compositeOf(valid)), builtInPlatform, {})).toEqual(composed(valid)))
  })

  test('does not change its arguments', () => {
    law(valid => {
      const before = JSON.stringify(valid)
      composed(deepFreeze(valid))
      expect(JSON.stringify(valid)).toBe(before)
    })
  })

  /** The objects that Crossplane observes after it applied them, with the fields that controllers set. */
  const observe = ({ resources }: Composition, wrapped: boolean, replicas: number, ready: boolean): Observed =>
    Object.fromEntries(
      resources.map(({ key, desired, manifest }): [string, JsonObject] => {
        const living = {
          ...manifest,
          metadata: { ...manifest.metadata, uid: 'u', generation: 1, resourceVersion: '7', annotations: { theirs: 'x' } },
          ...(isObject(manifest.spec) && {
            spec: { ...manifest.spec, ...(manifest.kind === 'Deployment' && { replicas, revisionHistoryLimit: 10 }) },
          }),
          status: {
            observedGeneration: 1,
            replicas,
            conditions: ['Ready', 'Available'].map(type => ({ type, status: ready ? 'True' : 'False', reason: 'Because', message: '' })),
          },
        }
        return [key, wrapped ? { ...desired, metadata: { name: 'x' }, status: { atProvider: { manifest: living } } } : living]
      }),
    )

  const desired = ({ resources }: Composition) => Object.fromEntries(resources.map(({ key, desired }) => [key, desired]))

  describe.each(platforms)('with its output observed, composed as $composeAs', ({ composeAs, platform }) => {
    const wrapped = composeAs !== 'Native'
    test.each([
      { says: 'scaled up', replicas: 5, ready: true },
      { says: 'scaled to zero', replicas: 0, ready: true },
      { says: 'not ready', replicas: 1, ready: false },
    ])('composes the same again, and leaves the replica count to KEDA: $says', ({ replicas, ready }) => {
      law(
        valid => {
          const claim = parse(valid)
          const first = compose(claim, platform, {})
          const second = compose(claim, platform, deepFreeze(observe(first, wrapped, replicas, ready)))
          const third = compose(claim, platform, deepFreeze(observe(second, wrapped, replicas, ready)))
          expect(JSON.stringify(third)).toBe(JSON.stringify(second))
          // Without NATS nobody else owns the count.
          if (claim.nats === undefined) return expect(JSON.stringify(desired(second))).toBe(JSON.stringify(desired(first)))
          const without = JSON.stringify(desired(first)).replace('"spec":{"replicas":1,', '"spec":{')
          expect(JSON.stringify(desired(second))).toBe(without)
          expect(JSON.stringify(desired(second))).not.toContain('"replicas"')
          if (wrapped) expect(JSON.stringify(desired(first))).not.toContain('"replicas"')
        },
        Math.ceil(RUNS / 3),
      )
    })
  })
})

describe('every manifest', () => {
  const DNS_1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
  const DNS_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/

  test('has a valid name, and so does the autoscaler that KEDA creates from it', () => {
    law(valid => {
      for (const manifest of manifests(valid)) {
        const { kind, metadata } = manifest
        const hpa = at(manifest, 'spec', 'advanced', 'horizontalPodAutoscalerConfig', 'name')
        for (const name of [metadata.name, ...(hpa === undefined ? [] : [String(hpa)])]) {
          expect(name).toMatch(kind === 'Service' ? DNS_1035 : DNS_1123)
          expect(name.length).toBeLessThanOrEqual(63)
        }
      }
    })
  })

  test("is in the claim's namespace and names its owner", () => {
    law(valid => {
      for (const { metadata } of manifests(valid)) {
        expect(metadata.namespace).toBe(valid.metadata.namespace)
        expect(metadata.labels).toMatchObject({
          'app.kubernetes.io/name': valid.metadata.name,
          'app.kubernetes.io/component': 'event-driven-worker',
          'app.kubernetes.io/managed-by': 'crossplane',
        })
      }
    })
  })

  const holes = (value: Json | undefined): boolean =>
    value === undefined ||
    value === null ||
    (typeof value === 'number' && !Number.isFinite(value)) ||
    (typeof value === 'object' && Object.values(value).some(holes))

  test('has neither null nor undefined nor a status', () => {
    law(valid => {
      for (const manifest of manifests(valid)) {
        expect(holes(manifest)).toBe(false)
        expect(Object.keys(manifest)).not.toContain('status')
      }
    })
  })

  test('has its own key and is its own object', () => {
    law(valid => {
      const { resources } = composed(valid)
      const objects = resources.map(({ manifest: { apiVersion, kind, metadata } }) => `${apiVersion} ${kind} ${metadata.name}`)
      expect(new Set(resources.map(({ key }) => key)).size).toBe(resources.length)
      expect(new Set(objects).size).toBe(objects.length)
    })
  })
})

describe('every pod', () => {
  const templates = (document: ClaimDocument) =>
    manifests(document).flatMap(manifest => {
      const template = at(manifest, 'spec', 'template')
      return isObject(template) ? [template] : []
    })
  const containers = (template: JsonObject) =>
    ['containers', 'initContainers'].flatMap(list => (at(template, 'spec', list) ?? []) as readonly JsonObject[])

  test('keeps the restricted Pod Security Standard', () => {
    law(valid => {
      expect(templates(valid)).toHaveLength(1)
      for (const template of templates(valid)) expect(violations(template)).toEqual([])
    })
  })

  test('has no duplicate variable', () => {
    law(valid => {
      for (const container of templates(valid).flatMap(containers)) {
        const names = (container.env as readonly JsonObject[]).map(({ name }) => name)
        expect(new Set(names).size).toBe(names.length)
      }
    })
  })

  test("has the claim's variables and secrets, all of them and in order", () => {
    law(valid => {
      const { variables, bulkSources } = parse(valid)
      for (const container of templates(valid).flatMap(containers)) {
        const names = (container.env as readonly JsonObject[]).map(({ name }) => name)
        expect(names.slice(names.length - variables.length)).toEqual(variables.map(({ name }) => name))
        expect((container.envFrom as Json[] | undefined)?.length ?? 0).toBe(bulkSources.length)
      }
    })
  })
})
