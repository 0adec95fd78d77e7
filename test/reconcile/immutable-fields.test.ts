// A claim changes a field that is immutable in Knative.
import { describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { claim } from '../fixtures/claims.ts'
import { ControlLoop } from '../fixtures/control-loop.ts'

const kafka = { bootstrapServers: ['kafka:9092'], topics: ['orders'] }
const before = { broker: {}, triggers: [{ name: 'a' }], kafka }
const CLASS = ['metadata', 'annotations', 'eventing.knative.dev/broker.class']

function running(eventing: JsonObject): ControlLoop {
  const loop = new ControlLoop(claim({ eventing }))
  loop.reconcile()
  loop.becomesReady(...loop.objects.keys())
  return loop
}

const eventingReady = (loop: ControlLoop) => {
  const conditions = at(loop.composite, 'status', 'conditions')
  return (Array.isArray(conditions) ? conditions : []).find(condition => at(condition, 'type') === 'EventingReady')
}

describe.each([
  {
    says: 'the class of the Broker',
    eventing: { ...before, broker: { class: 'Kafka' } },
    key: 'broker',
    path: CLASS,
    stays: 'MTChannelBasedBroker',
    tells:
      "Broker orders-worker keeps its class 'MTChannelBasedBroker', which can't be changed to 'Kafka'. Deleting a Broker loses undelivered events.",
  },
  {
    says: 'the name of the Broker',
    eventing: { ...before, broker: { name: 'shop' } },
    key: 'broker',
    path: ['metadata', 'name'],
    stays: 'orders-worker',
    tells: "Broker orders-worker keeps its name 'orders-worker', which can't be changed to 'shop'.",
  },
  {
    says: 'the Broker of a Trigger',
    eventing: { ...before, broker: { name: 'shop' } },
    key: 'trigger-a',
    path: ['spec', 'broker'],
    stays: 'orders-worker',
    tells: 'Broker orders-worker keeps its name',
  },
  {
    says: 'the consumer group of a KafkaSource',
    eventing: { ...before, kafka: { ...kafka, consumerGroup: 'other' } },
    key: 'kafkasource',
    path: ['spec', 'consumerGroup'],
    stays: 'shop-orders-worker',
    tells: "KafkaSource orders-worker keeps its consumer group 'shop-orders-worker', which can't be changed to 'other'.",
  },
])('$says', ({ eventing, key, path, stays, tells }) => {
  const image = 'ghcr.io/acme/orders-worker:2.0.0'
  function changed() {
    const loop = running(before)
    loop.claim = claim({ eventing, image })
    return { loop, ...loop.reconcile() }
  }

  test('keeps the object and everything that depends on it', () => {
    const { desired, keys } = changed()
    expect(at(desired.get(key), ...path)).toBe(stays)
    expect(keys).toEqual(expect.arrayContaining(['broker', 'trigger-a', 'kafkasource']))
  })

  test('reports the change on the claim, with the fix', () => {
    const { loop, ready } = changed()
    expect(ready).toBe(false)
    expect(eventingReady(loop)).toMatchObject({ status: 'False', reason: 'Immutable', message: expect.stringContaining(tells) })
    expect(at(eventingReady(loop), 'message')).toMatch(/Undo the change of spec\.eventing\.\S+, or,? .* add (it|them) again\.$/)
  })

  test('does not block other changes of the claim', () => {
    expect(at(changed().desired.get('deployment'), 'spec', 'template', 'spec', 'containers', 0, 'image')).toBe(image)
  })

  test('is ready again when the change is reverted', () => {
    const { loop } = changed()
    loop.claim = claim({ eventing: before, image })
    loop.reconcile()
    loop.becomesReady(...loop.objects.keys())
    expect(loop.reconcile()).toMatchObject({ ready: true })
  })
})

describe('another Broker', () => {
  const intoBroker = { ...kafka, sink: 'broker' }
  const ofOne = (broker: JsonObject, ...triggers: string[]) => ({
    broker,
    triggers: triggers.map(name => ({ name })),
    kafka: intoBroker,
  })
  const brokersIn = (eventing: JsonObject, then: JsonObject) => {
    const loop = running(eventing)
    loop.claim = claim({ eventing: then })
    const { desired } = loop.reconcile()
    const triggers = ['a', 'b'].map(name => at(desired.get(`trigger-${name}`), 'spec', 'broker'))
    return { triggers, source: at(desired.get('kafkasource'), 'spec', 'sink', 'ref', 'name'), reason: at(eventingReady(loop), 'reason') }
  }

  test.each([
    { says: 'by its name', broker: { name: 'shop' } },
    { says: 'that the claim does not create', broker: { name: 'shared', create: false } },
  ])('$says instead of ours: existing and new objects keep using ours', ({ broker }) => {
    expect(brokersIn(ofOne({}, 'a'), ofOne(broker, 'a', 'b'))).toEqual({
      triggers: ['orders-worker', 'orders-worker'],
      source: 'orders-worker',
      reason: 'Immutable',
    })
  })

  const old = { name: 'old', create: false }
  const other = { name: 'new', create: false }
  test('of others: Kafka records still go to the Broker that a trigger of the claim uses', () => {
    expect(brokersIn(ofOne(old, 'a'), ofOne(other, 'a'))).toMatchObject({
      triggers: ['old', undefined],
      source: 'old',
      reason: 'Immutable',
    })
    expect(brokersIn(ofOne(old, 'a'), ofOne(other, 'a', 'b'))).toMatchObject({ triggers: ['old', 'new'], source: 'new' })
    expect(brokersIn(ofOne(old), ofOne(other))).toMatchObject({ source: 'new' })
  })
})

test('ignores another default class of the platform for an existing Broker', () => {
  const loop = running(before)
  const platform: Platform = { ...builtInPlatform, defaults: { eventing: { broker: { class: 'Kafka' } } } }
  const parsed = parseClaim(claim({ eventing: before }), platform)
  if (!parsed.ok) throw new Error('not valid')
  const { resources, conditions } = compose(parsed.claim, platform, Object.fromEntries(loop.objects))
  expect(at(resources.find(({ key }) => key === 'broker')?.manifest, ...CLASS)).toBe('MTChannelBasedBroker')
  expect(conditions.find(({ type }) => type === 'EventingReady')).toMatchObject({ ready: true })
  expect(at(compose(parsed.claim, platform, {}).resources.find(({ key }) => key === 'broker')?.manifest, ...CLASS)).toBe('Kafka')
})

test('a trigger with another name uses the other Broker at once, and the old trigger keeps its Broker', () => {
  const shared = (name: string, ...triggers: string[]) => ({ broker: { name, create: false }, triggers: triggers.map(t => ({ name: t })) })
  const loop = running(shared('old', 'a'))
  loop.claim = claim({ eventing: shared('new', 'a', 'b') })
  const { desired } = loop.reconcile()
  expect(at(desired.get('trigger-a'), 'spec', 'broker')).toBe('old')
  expect(at(desired.get('trigger-b'), 'spec', 'broker')).toBe('new')
})

test.each([
  { says: 'another one of ours', broker: { name: 'shop' }, listens: 'shop', makes: true },
  { says: 'one of others', broker: { name: 'shared', create: false }, listens: 'shared', makes: false },
])('while the old Broker is being deleted, a trigger that is added again uses $says', ({ broker, listens, makes }) => {
  const loop = running({ broker: {}, triggers: [{ name: 'a' }] })
  loop.claim = claim()
  loop.reconcile()
  loop.isGone('trigger-a')
  loop.claim = claim({ eventing: { broker, triggers: [{ name: 'a' }], kafka: { ...kafka, sink: 'broker' } } })
  const { desired } = loop.reconcile()
  expect(at(desired.get('trigger-a'), 'spec', 'broker')).toBe(listens)
  expect(at(desired.get('kafkasource'), 'spec', 'sink', 'ref', 'name')).toBe(listens)
  expect(desired.has('broker')).toBe(makes)
})

describe('create: false for a Broker that the claim created', () => {
  const loop = running(before)
  loop.claim = claim({ eventing: { ...before, broker: { create: false } } })
  const { keys } = loop.reconcile()

  test('does not delete the Broker, which would lose undelivered events', () => {
    expect(keys).toContain('broker')
    expect(eventingReady(loop)).toMatchObject({
      status: 'False',
      reason: 'Kept',
      message: expect.stringContaining('Undo create: false, or'),
    })
  })

  test('creates no Broker if none exists', () => {
    expect(running({ broker: { create: false }, triggers: [{ name: 'a' }] }).objects.has('broker')).toBe(false)
  })
})
