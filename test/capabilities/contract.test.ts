import { expect, test } from 'vitest'
import { reference } from '../../scripts/generate/reference.ts'
import { roleFiles } from '../../scripts/generate/roles.ts'
import type { Capability, ComposedResource } from '../../src/capabilities/capability.ts'
import { capabilities, conditionNames, rolesOf } from '../../src/capabilities/index.ts'
import { notReady } from '../../src/capabilities/readiness.ts'
import { metadata } from '../../src/capabilities/workload/labels.ts'
import { layered } from '../../src/claim/layers.ts'
import { checkAccess } from '../../src/cli/doctor/access.ts'
import type { Api } from '../../src/cli/doctor/api.ts'
import { factsOf } from '../../src/cli/print/facts.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { noLookup } from '../../src/reconcile/cluster-lookup.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { validateClaim } from '../../src/reconcile/parse-claim.ts'
import { claim } from '../fixtures/claims.ts'
import { resolvedClaim } from '../fixtures/resolved-claim.ts'

const GIZMO = { apiVersion: 'toys.example.com/v1', kind: 'Gizmo' }

const gizmo: ComposedResource = {
  key: 'gizmo',
  build: claim => ({ ...GIZMO, metadata: metadata(claim, claim.name), spec: { image: claim.image } }),
  ready: () => notReady('Dull', 'Gizmo shines not.'),
}

/** All that a capability of one kind has to say. */
const toys: Capability<{ readonly image: string }> = {
  name: 'toys',
  condition: 'Toys',
  role: { name: 'toys', purpose: 'spec.toys: the Gizmo.' },
  kinds: [{ ...GIZMO, plural: 'gizmoes', product: 'Toybox', summarize: ({ spec }) => [String((spec as JsonObject).image)] }],
  check: ({ size }) => (size === 'micro' ? [{ code: 'CONFLICT', path: ['spec', 'size'], problem: 'is too small for toys' }] : []),
  resolve: ({ image, layers }) => (layered(layers, 'size') === 'medium' ? { image } : undefined),
  resources: () => [gizmo],
}

const keys = ['serviceaccount', 'deployment', 'service', 'scaledobject', 'poddisruptionbudget']
const all = [...capabilities, toys]
const gizmoIn = (observed = {}, lookup = noLookup) => compose(resolvedClaim(), builtInPlatform, observed, lookup, all)

test('its resource is composed', () => {
  expect(gizmoIn().resources.find(({ key }) => key === 'gizmo')?.desired).toMatchObject({ ...GIZMO, metadata: { name: 'orders-worker' } })
})

test('its condition stands behind those of the others', () => {
  expect(conditionNames(all)).toEqual([...conditionNames(), 'Toys'])
  const [last] = gizmoIn({ gizmo: GIZMO }).conditions.slice(-1)
  expect(last).toMatchObject({ type: 'ToysReady', ready: false, reason: 'Dull' })
})

test('a missing CRD is named by its plural and its product, and blocks nothing else', () => {
  const free = Object.fromEntries(keys.map(key => [key, undefined]))
  const kinds = { 'ScaledObject.keda.sh/v1alpha1': true, 'Gizmo.toys.example.com/v1': false }
  const { resources, conditions } = gizmoIn({}, { ...noLookup, canAsk: true, canAskKinds: true, existing: free, kinds })
  expect(resources.map(({ key }) => key)).toEqual(keys)
  const missing = conditions.find(({ type }) => type === 'ToysReady')
  expect(missing).toMatchObject({ reason: 'KindUnknown', message: expect.stringMatching(/Toybox.*gizmoes\.toys\.example\.com/) })
})

test('a taken name blocks it alone', () => {
  const foreign = { ...GIZMO, metadata: { name: 'orders-worker' } }
  const existing = { ...Object.fromEntries(keys.map(key => [key, undefined])), gizmo: foreign }
  const { resources, conditions } = gizmoIn({}, { ...noLookup, canAsk: true, existing })
  expect(resources.map(({ key }) => key)).not.toContain('gizmo')
  expect(resources).toHaveLength(keys.length)
  expect(conditions.find(({ type }) => type === 'ToysReady')).toMatchObject({ reason: 'NameTaken' })
})

test('its ClusterRole grants exactly its kinds', () => {
  expect(roleFiles(rolesOf(all))['package/runtime/rbac/toys.yaml']).toMatchObject({
    comment: 'What Crossplane composes for spec.toys: the Gizmo.',
    role: {
      metadata: { name: 'event-driven-service:toys' },
      rules: [
        { apiGroups: ['toys.example.com'], resources: ['gizmoes'] },
        { apiGroups: ['toys.example.com'], resources: ['gizmoes/status'] },
      ],
    },
  })
})

test('doctor asks for access to its kinds', async () => {
  const api = { post: async () => ({ ok: true, status: 201, body: { status: { allowed: true } } }) } as unknown as Api
  const checks = await checkAccess(api, { namespace: 'a', name: 'b', grant: role => role }, [toys])
  expect(checks.map(({ name, state }) => `${name}: ${state}`)).toEqual(['Access to gizmoes.toys.example.com: well'])
})

test('its kind has a one-line summary', () => {
  expect(factsOf({ ...GIZMO, spec: { image: 'tin' } }, all)).toBe('tin')
})

test('its check finds what neither schema nor CEL can', () => {
  expect(validateClaim(claim({ size: 'micro' }), builtInPlatform, { capabilities: all }).findings).toMatchObject([{ code: 'CONFLICT' }])
})

test('the reference lists it', () => {
  const page = reference({ type: 'object' }, { type: 'object' }, all)
  expect(page).toMatch(/\| `ToysReady` \| Gizmo `toys\.example\.com\/v1` \| Toybox \| `toys` \|/)
})
