import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { notReady } from '../readiness.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { delivery } from './delivery.ts'
import { eventingReadiness } from './readiness.ts'

export const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker' } as const

const CLASS_ANNOTATION = 'eventing.knative.dev/broker.class'

export const brokerKind: KindInfo = {
  ...BROKER,
  plural: 'brokers',
  product: 'Knative Eventing',
  summarize: manifest => [scalar(at(manifest, 'metadata', 'annotations', CLASS_ANNOTATION))],
}

const eventLoss = 'Deleting a Broker loses undelivered events'
const recreate = 'once nobody sends events to it, remove spec.eventing.broker and spec.eventing.triggers from the claim and add them again'

export const broker: ComposedResource = {
  key: 'broker',
  build: (claim, lifecycle) => {
    const asked = claim.eventing?.broker
    // Our Broker is kept even with create: false, because deleting it loses undelivered events.
    if (asked === undefined || !(asked.create || lifecycle === 'existing')) return undefined
    return {
      apiVersion: BROKER.apiVersion,
      kind: BROKER.kind,
      metadata: metadata(claim, asked.name, { annotations: { [CLASS_ANNOTATION]: asked.class } }),
      // Knative fills in spec.config, and it is immutable: not ours.
      spec: { ...delivery(asked.delivery, claim) },
    }
  },
  ready: (observed, claim) => {
    const name = claim.eventing?.broker?.name ?? claim.name
    if (claim.eventing?.broker?.create === false)
      return notReady(
        'Kept',
        `Broker ${name} was created for this claim and would be deleted with create: false. ${eventLoss}, so it was kept. Undo create: false, or, ${recreate}.`,
      )
    return eventingReadiness(`Broker ${name}`, observed, `See: kubectl -n ${claim.namespace} describe broker ${name}`)
  },
  readyCondition: 'Ready',
  immutable: [
    {
      path: ['metadata', 'name'],
      called: 'name',
      advice: () =>
        `${eventLoss}, and its senders would have to learn the new name. Undo the change of spec.eventing.broker.name, or, ${recreate}.`,
    },
    {
      path: ['metadata', 'annotations', CLASS_ANNOTATION],
      called: 'class',
      advice: () => `${eventLoss}. Undo the change of spec.eventing.broker.class, or, ${recreate}.`,
      asked: ({ eventing }: ResolvedClaim) => eventing?.broker?.ownClass === true,
    },
  ],
}
