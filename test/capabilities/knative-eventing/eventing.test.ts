import { describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { reversed } from '../../fixtures/claims.ts'
import { conditions, resolvedClaim, type Said } from '../../fixtures/resolved-claim.ts'

const composed = (eventing: JsonObject, spec: JsonObject = {}, observed: Readonly<Record<string, JsonObject>> = {}) =>
  compose(resolvedClaim({ eventing, ...spec }), builtInPlatform, observed)
const manifest = (key: string, eventing: JsonObject, spec?: JsonObject): JsonObject | undefined =>
  composed(eventing, spec).resources.find(resource => resource.key === key)?.manifest
const keys = (eventing: JsonObject) =>
  composed(eventing)
    .resources.filter(({ condition }) => condition === 'Eventing')
    .map(({ key }) => key)

const kafka = { bootstrapServers: ['kafka:9092'], topics: ['orders'] }
const asKnative = { runtime: 'Knative', nats: undefined }
const knativeRef = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'orders-worker', namespace: 'shop' }

describe('what is made', () => {
  test.each([
    { says: 'nothing, where nothing is asked for', eventing: {}, makes: [] },
    { says: 'a Broker alone', eventing: { broker: {} }, makes: ['broker'] },
    { says: 'a Broker for triggers', eventing: { triggers: [{ name: 'a' }, { name: 'b' }] }, makes: ['broker', 'trigger-a', 'trigger-b'] },
    {
      says: 'triggers on an existing Broker',
      eventing: { broker: { name: 'x', create: false }, triggers: [{ name: 'a' }] },
      makes: ['trigger-a'],
    },
    { says: 'Kafka straight to the workload', eventing: { kafka }, makes: ['kafkasource'] },
    { says: 'Kafka into a Broker', eventing: { kafka: { ...kafka, sink: 'broker' } }, makes: ['broker', 'kafkasource'] },
  ])('$says', ({ eventing, makes }) => {
    expect(keys(eventing)).toEqual(makes)
  })
})

describe('the Broker', () => {
  test('has the claim’s name and its class, and leaves the class’s own config to Knative', () => {
    expect(manifest('broker', { broker: {} })).toMatchObject({
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'orders-worker', namespace: 'shop', annotations: { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' } },
      spec: {},
    })
  })

  test('can have another name and class', () => {
    expect(manifest('broker', { broker: { name: 'shop', class: 'Kafka' } })?.metadata).toMatchObject({
      name: 'shop',
      annotations: { 'eventing.knative.dev/broker.class': 'Kafka' },
    })
  })
})

describe('delivery', () => {
  const asked = { retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT1S', timeout: 'PT30S' }
  const ref = { apiVersion: 'v1', kind: 'Service', name: 'dead' }
  const places = (delivery: JsonObject) => {
    const eventing = { broker: { delivery }, triggers: [{ name: 'a', delivery }], kafka: { ...kafka, delivery } }
    return ['broker', 'trigger-a', 'kafkasource'].map(key => at(manifest(key, eventing), 'spec', 'delivery'))
  }

  test.each([
    { says: 'as it is', delivery: asked, becomes: asked },
    {
      says: 'with a dead letter sink outside',
      delivery: { deadLetter: { uri: 'https://dead' } },
      becomes: { deadLetterSink: { uri: 'https://dead' } },
    },
    {
      says: 'with one in the same namespace',
      delivery: { ...asked, deadLetter: { ref } },
      becomes: { ...asked, deadLetterSink: { ref: { ...ref, namespace: 'shop' } } },
    },
    {
      says: 'with one in another',
      delivery: { deadLetter: { ref: { ...ref, namespace: 'ops' } } },
      becomes: { deadLetterSink: { ref: { ...ref, namespace: 'ops' } } },
    },
  ])('$says, the same wherever it is asked for', ({ delivery, becomes }) => {
    for (const place of places(delivery)) expect(place).toEqual(becomes)
  })

  test('is nothing where nothing is asked for', () => {
    expect(at(manifest('kafkasource', { kafka }), 'spec')).not.toHaveProperty('delivery')
  })
})

describe('a Trigger', () => {
  const spec = (trigger: JsonObject, more?: JsonObject) =>
    at(manifest('trigger-a', { triggers: [{ name: 'a', ...trigger }] }, more), 'spec')

  test('has the claim’s name before its own', () => {
    expect(manifest('trigger-a', { triggers: [{ name: 'a' }] })).toMatchObject({
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name: 'orders-worker-a', namespace: 'shop' },
      spec: { broker: 'orders-worker' },
    })
  })

  test.each([
    {
      says: 'a Deployment by the URL of its Service, as Knative knows no port but 80',
      runtime: {},
      path: {},
      subscriber: { uri: 'http://orders-worker.shop.svc:8080/' },
    },
    { says: 'a path of it', runtime: {}, path: { path: '/e' }, subscriber: { uri: 'http://orders-worker.shop.svc:8080/e' } },
    { says: 'a Knative Service by reference', runtime: asKnative, path: {}, subscriber: { ref: knativeRef } },
    { says: 'a path of that', runtime: asKnative, path: { path: '/e' }, subscriber: { ref: knativeRef, uri: '/e' } },
  ])('brings events to $says', ({ runtime, path, subscriber }) => {
    expect(at(spec(path, runtime), 'subscriber')).toEqual(subscriber)
  })

  test('passes filters on, in an order that does not hang on the claim’s', () => {
    const trigger = {
      filter: { type: 'a', source: 'b', id: 'c' },
      filters: [{ all: [{ prefix: { type: 'x', id: 'y' } }, { not: { suffix: { z: '1', a: '2' } } }] }, { cesql: 'TRUE' }],
    }
    expect(spec(trigger)).toMatchObject({ filter: { attributes: trigger.filter }, filters: trigger.filters })
    expect(JSON.stringify(spec(reversed(trigger)))).toBe(JSON.stringify(spec(trigger)))
    expect(JSON.stringify(at(spec(trigger), 'filters', 0, 'all', 0))).toBe('{"prefix":{"id":"y","type":"x"}}')
  })

  test('has no filter where none is asked for', () => {
    expect(Object.keys(spec({ filters: [] }) as JsonObject)).toEqual(['broker', 'subscriber'])
  })
})

describe('a KafkaSource', () => {
  test('has a consumer group named after the claim, so that it keeps its offsets when it is recreated', () => {
    expect(manifest('kafkasource', { kafka })).toMatchObject({
      apiVersion: 'sources.knative.dev/v1',
      kind: 'KafkaSource',
      metadata: { name: 'orders-worker' },
      spec: { bootstrapServers: ['kafka:9092'], topics: ['orders'], consumerGroup: 'shop-orders-worker' },
    })
  })

  test.each([
    { says: 'the Service of a Deployment', more: {}, runtime: {}, sink: { uri: 'http://orders-worker.shop.svc:8080/' } },
    { says: 'a Knative Service', more: {}, runtime: asKnative, sink: { ref: knativeRef } },
    {
      says: 'the Broker',
      more: { sink: 'broker' },
      runtime: asKnative,
      sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'orders-worker', namespace: 'shop' } },
    },
  ])('brings records to $says', ({ more, runtime, sink }) => {
    expect(at(manifest('kafkasource', { kafka: { ...kafka, ...more } }, runtime), 'spec', 'sink')).toEqual(sink)
  })
})

describe('EventingReady', () => {
  const eventing = { triggers: [{ name: 'a' }], kafka: { ...kafka, sink: 'broker' } }
  const built = Object.fromEntries(composed(eventing).resources.map(({ key, manifest: object }) => [key, object]))
  const there = (key: string, generation: number, seen: number | undefined, ...said: Said[]): JsonObject => ({
    ...built[key],
    metadata: { ...(built[key]?.metadata as JsonObject), generation },
    status: { ...(seen !== undefined && { observedGeneration: seen }), conditions: conditions(...said) },
  })
  const all = {
    broker: there('broker', 1, 1, ['Ready', 'True']),
    'trigger-a': there('trigger-a', 1, 1, ['Ready', 'True']),
    kafkasource: there('kafkasource', 1, 1, ['Ready', 'True']),
  }
  const judge = (observed: Readonly<Record<string, JsonObject>>, asked: JsonObject = eventing) =>
    composed(asked, {}, observed).conditions.find(({ type }) => type === 'EventingReady')

  test('is reported only for a claim with eventing', () => {
    expect(judge({}, {})).toBeUndefined()
  })

  test('is true when every object is ready', () => {
    expect(judge(all)).toEqual({ type: 'EventingReady', ready: true, reason: 'Ready', message: 'Broker orders-worker is ready.' })
  })

  test.each([
    {
      says: 'an object is missing',
      observed: { ...all, 'trigger-a': undefined },
      reason: 'Creating',
      message: 'Trigger orders-worker-a does not exist yet',
    },
    {
      says: 'no controller has reported yet',
      observed: { ...all, broker: there('broker', 1, undefined) },
      reason: 'Waiting',
      message: 'check that Knative Eventing is running',
    },
    {
      says: 'a change has not been observed',
      observed: { ...all, 'trigger-a': there('trigger-a', 2, 1, ['Ready', 'True']) },
      reason: 'Waiting',
      message: 'Trigger orders-worker-a',
    },
    {
      says: 'one is being set up',
      observed: { ...all, 'trigger-a': there('trigger-a', 1, 1, ['Ready', 'Unknown']) },
      reason: 'Waiting',
      message: 'Knative is setting up Trigger orders-worker-a',
    },
    {
      says: 'Knative has a sentence for a reason',
      observed: { ...all, 'trigger-a': there('trigger-a', 1, 1, ['Ready', 'False', "Unable to get the Subscriber's URI", 'no address']) },
      reason: 'NotReady',
      message: 'Trigger orders-worker-a is not ready: no address.',
    },
    {
      says: 'one fails',
      observed: { ...all, kafkasource: there('kafkasource', 1, 1, ['Ready', 'False', 'ClientFailed', 'no broker answers']) },
      reason: 'ClientFailed',
      message:
        'KafkaSource orders-worker is not ready: no broker answers. Check spec.eventing.kafka. See: kubectl -n shop describe kafkasource orders-worker',
    },
  ])('is false when $says', ({ observed, reason, message }) => {
    const found = Object.fromEntries(Object.entries(observed).flatMap(([key, object]) => (object ? [[key, object]] : [])))
    expect(judge(found)).toMatchObject({ ready: false, reason })
    expect(judge(found)?.message).toContain(message)
  })
})
