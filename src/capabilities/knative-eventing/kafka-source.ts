import type { ComposedResource } from '../capability.ts'
import type { Address } from '../workload/address.ts'
import { metadata } from '../workload/labels.ts'
import { EVENTING_API_VERSION } from './broker.ts'
import { delivery, destination } from './delivery.ts'
import { eventingReadiness } from './readiness.ts'

/** https://knative.dev/docs/eventing/sources/kafka-source/ */
export const kafkaSource = (address: Address, broker: string): ComposedResource => ({
  key: 'kafkasource',
  concern: 'Eventing',
  build: claim => {
    const kafka = claim.eventing?.kafka
    if (kafka === undefined) return undefined
    const { bootstrapServers, topics, consumerGroup, sink } = kafka
    const into: Address =
      sink === 'broker' ? { ref: { apiVersion: EVENTING_API_VERSION, kind: 'Broker', name: broker, namespace: claim.namespace } } : address
    return {
      apiVersion: 'sources.knative.dev/v1',
      kind: 'KafkaSource',
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
  immutable: [
    {
      path: ['spec', 'consumerGroup'],
      called: 'consumer group',
      advice: () =>
        'Another group does not know what this one has read: it would begin at the end of the topics. Take the change of spec.eventing.kafka.consumerGroup back, or set the offsets of the new group in Kafka, take spec.eventing.kafka out of the claim and put it in again.',
    },
  ],
})
