import { at, items } from '../../kubernetes/json.ts'
import type { Address } from '../address.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { metadata } from '../workload/labels.ts'
import { BROKER } from './broker.ts'
import { delivery, destination, summarizeDestination, targetKey } from './delivery.ts'
import { eventingReadiness } from './readiness.ts'

const KIND = { apiVersion: 'sources.knative.dev/v1', kind: 'KafkaSource' } as const

export const kafkaSourceKind: KindInfo = {
  ...KIND,
  plural: 'kafkasources',
  product: "Knative's source for Apache Kafka",
  summarize: ({ spec }) => [items(at(spec, 'topics')).join(', '), summarizeDestination(at(spec, 'sink'))],
}

/** https://knative.dev/docs/eventing/sources/kafka-source/ */
export const kafkaSource = (address: Address, broker: string): ComposedResource => ({
  key: 'kafkasource',
  build: claim => {
    const kafka = claim.eventing?.kafka
    if (kafka === undefined) return undefined
    const { bootstrapServers, topics, consumerGroup, sink } = kafka
    const into: Address = sink === 'broker' ? { ref: { ...BROKER, name: broker, namespace: claim.namespace } } : address
    return {
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: metadata(claim, claim.name),
      spec: { bootstrapServers, topics, consumerGroup, sink: destination(into), ...delivery(kafka.delivery, claim) },
    }
  },
  ready: (observed, claim) =>
    eventingReadiness(
      `KafkaSource ${claim.name}`,
      observed,
      `Check spec.eventing.kafka. See: kubectl -n ${claim.namespace} describe kafkasource ${claim.name}`,
    ),
  readyCondition: 'Ready',
  target: object => targetKey(at(object, 'spec', 'sink')),
  immutable: [
    {
      path: ['spec', 'consumerGroup'],
      called: 'consumer group',
      advice: () =>
        'A new group starts at the end of the topics and skips the messages that this one has not read. Undo the change of spec.eventing.kafka.consumerGroup, or set the offsets of the new group in Kafka, remove spec.eventing.kafka from the claim and add it again.',
    },
  ],
})
