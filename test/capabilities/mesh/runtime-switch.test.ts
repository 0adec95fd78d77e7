// A change of runtime in the mesh: routes, rules and policies follow the workload that serves.
import { expect, test } from 'vitest'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import type { Observed } from '../../../src/reconcile/observe.ts'
import { fullMesh, meshClaim, withMesh } from '../../fixtures/mesh.ts'

const platform = withMesh()
const { jwt, canary, hosts, callers, rateLimit } = fullMesh
const asDeployment = () => meshClaim({ jwt, canary, hosts, callers, rateLimit } as JsonObject, { nats: undefined, httpPort: 8080 })
const asKnative = () => meshClaim({ jwt } as JsonObject, { nats: undefined, httpPort: 8080, runtime: 'Knative' })

/** One call, of which everything is applied and becomes ready. */
function applied(claim: ReturnType<typeof asKnative>, observed: Observed): Record<string, JsonObject> {
  const status = {
    observedGeneration: 1,
    replicas: 1,
    updatedReplicas: 1,
    availableReplicas: 1,
    conditions: ['Ready', 'Available'].map(type => ({ type, status: 'True' })),
  }
  const { resources } = compose(claim, platform, observed)
  return Object.fromEntries(resources.map(({ key, manifest }) => [key, { ...manifest, status }]))
}

const ofDeployment = [
  'mesh-virtual-service',
  'mesh-gateway',
  'mesh-destination-rule',
  'mesh-destination-rule-http',
  'mesh-destination-rule-canary',
  'mesh-callers',
  'mesh-rate-limit',
  'canary-deployment',
  'canary-service',
]

test('to Knative, everything that leads to the Deployment stays unchanged until Knative serves, and then goes with it', () => {
  const before = applied(asDeployment(), applied(asDeployment(), {}))
  const first = applied(asKnative(), before)
  for (const key of ofDeployment) expect([key, first[key]?.spec]).toEqual([key, before[key]?.spec])
  expect(Object.keys(first)).toContain('knative-service-switch')
  const second = applied(asKnative(), first)
  expect(Object.keys(second).filter(key => ofDeployment.includes(key))).toEqual([])
})

test('to Knative, a missing token is refused at the ports of both runtimes, and by all pods', () => {
  const before = applied(asDeployment(), {})
  const policy = applied(asKnative(), before)['mesh-jwt-required']
  expect(at(policy, 'spec', 'rules', 0, 'to', 0, 'operation', 'ports')).toEqual(['8080', '8012', '8013', '8112'])
  expect(at(policy, 'spec', 'selector', 'matchLabels')).toEqual({ 'service.istio.io/canonical-name': 'orders' })
})

const destination = (objects: Observed) => [
  at(objects['mesh-virtual-service'], 'spec', 'http', 0, 'route', 0, 'destination', 'host'),
  at(objects['mesh-destination-rule'], 'spec', 'host'),
]

test('to a Deployment, routes and rules follow the stand-in, and policies wait for no one', () => {
  const claim = meshClaim({ jwt, hosts, callers } as JsonObject, { nats: undefined, httpPort: 8080 })
  const before = applied(asKnative(), {})
  const first = applied(claim, before)
  // While Knative serves, net-istio has the routes.
  expect(destination(first)).toEqual([undefined, undefined])
  expect(at(first['mesh-callers'], 'spec', 'selector', 'matchLabels', 'platform.bizmatters.io/runtime')).toBe('deployment')
  expect(at(first['mesh-jwt-required'], 'spec', 'rules', 0, 'to', 0, 'operation', 'ports')).toContain('8012')
  const second = applied(claim, first)
  const standIn = 'orders-switch.shop.svc.cluster.local'
  expect(destination(second)).toEqual([standIn, standIn])
  // Its name belongs to Knative for now.
  expect(at(second['mesh-virtual-service'], 'spec', 'hosts')).not.toContain('orders.shop.svc.cluster.local')
})

test('to a Deployment, the routes end at the Service of the claim’s name, and only then is the stand-in deleted', () => {
  const claim = meshClaim({ hosts } as JsonObject, { nats: undefined, httpPort: 8080 })
  let objects = applied(asKnative(), {})
  const seen: string[] = []
  for (let call = 0; call < 8; call++) {
    objects = applied(claim, objects)
    const host = String(destination(objects)[0]).split('.')[0] ?? ''
    if (host !== 'undefined')
      expect([host, Object.keys(objects)]).toEqual([host, expect.arrayContaining([host === 'orders' ? 'service' : 'service-switch'])])
    if (host === 'orders' && seen.at(-1) !== 'orders') expect(Object.keys(objects)).toContain('service-switch')
    seen.push(host)
  }
  expect([...new Set(seen)]).toEqual(['undefined', 'orders-switch', 'orders'])
  expect(Object.keys(objects)).not.toContain('service-switch')
})
