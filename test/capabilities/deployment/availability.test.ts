import { describe, expect, test } from 'vitest'
import { countedDeployment, deployment } from '../../../src/capabilities/deployment/deployment.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { resolvedClaim } from '../../fixtures/resolved-claim.ts'

const build = (spec: JsonObject, availability: 'Standard' | 'None' = 'Standard') => {
  const claim = resolvedClaim(spec)
  return deployment.build({ ...claim, platform: { ...builtInPlatform, availability } }, 'existing')
}
const pod = (spec: JsonObject, availability?: 'Standard' | 'None') => at(build(spec, availability), 'spec', 'template', 'spec')

describe('a rollout', () => {
  const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } }
  test.each<{ says: string; spec: JsonObject; availability?: 'None'; history: number | undefined; strategy: JsonObject }>([
    { says: 'stops no pod before its successor is ready', spec: {}, history: 3, strategy: rolling },
    { says: 'does so if the claim asks for it', spec: { updates: 'Rolling' }, history: 3, strategy: rolling },
    { says: 'stops all pods first if two must never run', spec: { updates: 'OneAtATime' }, history: 3, strategy: { type: 'Recreate' } },
    {
      says: "is Kubernetes' own without availability",
      spec: {},
      availability: 'None',
      history: undefined,
      strategy: { type: 'RollingUpdate' },
    },
    {
      says: 'stops all pods first without availability too',
      spec: { updates: 'OneAtATime' },
      availability: 'None',
      history: undefined,
      strategy: { type: 'Recreate' },
    },
  ])('$says', ({ spec, availability, history, strategy }) => {
    const manifest = build(spec, availability)
    expect([at(manifest, 'spec', 'revisionHistoryLimit'), at(manifest, 'spec', 'strategy')]).toEqual([history, strategy])
  })
})

describe('a Deployment that never runs two versions', () => {
  const claim = resolvedClaim({ updates: 'OneAtATime' })
  const observedWith = (strategy: JsonObject): JsonObject => ({ kind: 'Deployment', spec: { replicas: 1, strategy } })
  const rolling = (maxUnavailable: number | string, maxSurge: number | string) =>
    observedWith({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } })
  const takenOver = { paused: true, strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%', maxSurge: '0%' } } }
  const recreated = { paused: undefined, strategy: { type: 'Recreate' } }

  test.each<{ says: string; observed: JsonObject | undefined; rendered: JsonObject; ready: boolean }>([
    { says: 'does not exist yet', observed: undefined, rendered: recreated, ready: true },
    { says: 'is recreated already', observed: observedWith({ type: 'Recreate' }), rendered: recreated, ready: true },
    { says: "rolls with Kubernetes' defaults", observed: rolling('25%', '25%'), rendered: takenOver, ready: false },
    { says: 'rolls as this function rendered it', observed: rolling(0, '25%'), rendered: takenOver, ready: false },
    { says: 'rolls one at a time', observed: rolling('100%', 0), rendered: takenOver, ready: false },
    { says: 'has only values that are taken over', observed: rolling('100%', '0%'), rendered: recreated, ready: false },
  ])('$says', ({ observed, rendered, ready }) => {
    const spec = at(countedDeployment(() => observed).build(claim, 'existing'), 'spec')
    expect({ paused: at(spec, 'paused'), strategy: at(spec, 'strategy') }).toEqual(rendered)
    if (observed === undefined) return
    const status = { availableReplicas: 1, updatedReplicas: 1, replicas: 1, conditions: [{ type: 'Available', status: 'True' }] }
    expect(deployment.ready({ ...observed, status }, claim).ready).toBe(ready)
  })

  test('another claim lets a Deployment roll', () => {
    const spec = at(countedDeployment(() => rolling('100%', '0%')).build(resolvedClaim({}), 'existing'), 'spec')
    expect(at(spec, 'paused')).toBeUndefined()
    expect(at(spec, 'strategy')).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } })
  })
})

test('leaves the spread over zones and nodes to the scheduler', () => {
  expect(at(pod({}), 'topologySpreadConstraints')).toBeUndefined()
})

test.each([
  { processing: undefined, seconds: undefined },
  { processing: { concurrency: 3 }, seconds: undefined },
  { processing: { maxDuration: '1s' }, seconds: 31 },
  { processing: { maxDuration: '15m' }, seconds: 930 },
  { processing: { maxDuration: '1h' }, seconds: 3630 },
])('a pod with processing $processing has $seconds s to stop', ({ processing, seconds }) => {
  for (const availability of ['Standard', 'None'] as const)
    expect(at(pod({ processing }, availability), 'terminationGracePeriodSeconds')).toBe(seconds)
})

describe('a pod goes on for a moment after it is told to stop', () => {
  const kafka = (sink: string) => ({ kafka: { bootstrapServers: ['k:1'], topics: ['t'], sink } })
  test.each<{ says: string; spec: JsonObject; sleeps: boolean }>([
    { says: 'not a worker that only pulls', spec: {}, sleeps: false },
    { says: 'one with a port of its own', spec: { httpPort: 8080 }, sleeps: true },
    { says: 'one that triggers call', spec: { eventing: { triggers: [{ name: 't' }] } }, sleeps: true },
    { says: 'one that Kafka calls', spec: { eventing: kafka('workload') }, sleeps: true },
    { says: 'not one whose records go to a Broker', spec: { eventing: kafka('broker') }, sleeps: false },
    { says: 'not one with a Broker alone', spec: { eventing: { broker: {} } }, sleeps: false },
  ])('$says', ({ spec, sleeps }) => {
    const lifecycle = { preStop: { sleep: { seconds: 5 } } }
    expect(at(pod(spec), 'containers', 0, 'lifecycle')).toEqual(sleeps ? lifecycle : undefined)
    expect(at(pod(spec, 'None'), 'containers', 0, 'lifecycle')).toBeUndefined()
  })
})

test.each([
  { says: 'a hook of its own keeps it', hook: { exec: { command: ['sleep', '9'] } }, lifecycle: undefined },
  { says: 'our hook stays', hook: { sleep: { seconds: 5 } }, lifecycle: { preStop: { sleep: { seconds: 5 } } } },
])('an adopted Deployment with $says', ({ hook, lifecycle }) => {
  const claim = resolvedClaim({ httpPort: 8080 })
  const observed = { spec: { template: { spec: { containers: [{ name: 'main', lifecycle: { preStop: hook } }] } } } }
  const built = countedDeployment(({ key }) => (key === 'deployment' ? observed : undefined)).build(claim, 'existing')
  expect(at(built, 'spec', 'template', 'spec', 'containers', 0, 'lifecycle')).toEqual(lifecycle)
})
