import { describe, expect, test } from 'vitest'
import { deployment } from '../../../src/capabilities/deployment/deployment.ts'
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

test('spreads the pods of each version over zones and nodes, but runs them anyway', () => {
  const constraint = (topologyKey: string) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'orders-worker' } },
    matchLabelKeys: ['pod-template-hash'],
  })
  expect(at(pod({}), 'topologySpreadConstraints')).toEqual([
    constraint('topology.kubernetes.io/zone'),
    constraint('kubernetes.io/hostname'),
  ])
  expect(at(pod({}, 'None'), 'topologySpreadConstraints')).toBeUndefined()
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
