// The part of Broker, Triggers and KafkaSource that a claim can express.

import { resolveDefaults } from '../../claim/resolve.ts'
import { definedFields, nonEmpty, unlessDefault } from '../../convert/fields.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { Platform } from '../../platform/platform.ts'

const CLASS = 'eventing.knative.dev/broker.class'

/** The claim's `eventing` for the objects that send events to this service; undefined if none does. */
export function eventingOf(manifests: readonly JsonObject[], name: string, namespace: string, platform: Platform): JsonObject | undefined {
  const all = (kind: string) =>
    manifests.filter(manifest => manifest.kind === kind && textOf(manifest.apiVersion).includes('.knative.dev/'))
  const triggers = all('Trigger').filter(trigger => pathOf(at(trigger, 'spec', 'subscriber'), name, namespace) !== undefined)
  const source = all('KafkaSource').find(({ spec }) => {
    const sink = at(spec, 'sink')
    return at(sink, 'ref', 'kind') === 'Broker' || pathOf(sink, name, namespace) !== undefined
  })
  const sink = at(source, 'spec', 'sink', 'ref')
  const listened = at(triggers[0], 'spec', 'broker') ?? (at(sink, 'kind') === 'Broker' ? at(sink, 'name') : undefined)
  const broker = all('Broker').find(({ metadata }) => listened === undefined || at(metadata, 'name') === listened)
  const brokerName = at(broker, 'metadata', 'name') ?? listened
  const asked = definedFields({
    name: unlessDefault(name, brokerName),
    create: broker === undefined && brokerName !== undefined ? false : undefined,
    class: unlessDefault(resolveDefaults(platform).eventing?.broker?.class ?? '', at(broker, 'metadata', 'annotations', CLASS)),
    delivery: deliveryOf(at(broker, 'spec', 'delivery'), namespace),
  })
  return nonEmpty(
    definedFields({
      // Triggers alone create a Broker too.
      broker: broker !== undefined && listened === undefined ? asked : nonEmpty(asked),
      triggers: nonEmpty(
        triggers.filter(trigger => at(trigger, 'spec', 'broker') === listened).map(trigger => triggerOf(trigger, name, namespace)),
      ),
      kafka: source && kafkaOf(source, name, namespace),
    }),
  )
}

/** The path at the workload, '' for none; undefined if the target is another object. */
function pathOf(subscriber: Json | undefined, name: string, namespace: string): string | undefined {
  const ref = at(subscriber, 'ref')
  const uri = at(subscriber, 'uri') ?? ''
  const isOurs =
    at(ref, 'kind') === 'Service' &&
    textOf(at(ref, 'apiVersion')).startsWith('serving.knative.dev/') &&
    at(ref, 'name') === name &&
    (at(ref, 'namespace') ?? namespace) === namespace
  return isOurs ? textOf(uri) : undefined
}

function triggerOf(trigger: JsonObject, name: string, namespace: string): JsonObject {
  const own = textOf(at(trigger, 'metadata', 'name'))
  const spec = trigger.spec
  return definedFields({
    name: own.startsWith(`${name}-`) ? own.slice(name.length + 1) : own,
    filter: at(spec, 'filter', 'attributes'),
    filters: nonEmpty(items(at(spec, 'filters'))),
    path: pathOf(at(spec, 'subscriber'), name, namespace) || undefined,
    delivery: deliveryOf(at(spec, 'delivery'), namespace),
  })
}

function kafkaOf({ spec }: JsonObject, name: string, namespace: string): JsonObject {
  return definedFields({
    bootstrapServers: at(spec, 'bootstrapServers'),
    topics: at(spec, 'topics'),
    consumerGroup: unlessDefault(`${namespace}-${name}`, at(spec, 'consumerGroup')),
    sink: at(spec, 'sink', 'ref', 'kind') === 'Broker' ? 'broker' : undefined,
    delivery: deliveryOf(at(spec, 'delivery'), namespace),
  })
}

function deliveryOf(delivery: Json | undefined, namespace: string): JsonObject | undefined {
  if (!isObject(delivery)) return undefined
  const { retry, backoffPolicy, backoffDelay, timeout, deadLetterSink } = delivery
  const ref = at(deadLetterSink, 'ref')
  const deadLetter = definedFields({
    ref: isObject(ref) ? definedFields({ ...ref, namespace: unlessDefault(namespace, ref.namespace) }) : undefined,
    uri: at(deadLetterSink, 'uri'),
  })
  return definedFields({ retry, backoffPolicy, backoffDelay, timeout, deadLetter: nonEmpty(deadLetter) })
}
