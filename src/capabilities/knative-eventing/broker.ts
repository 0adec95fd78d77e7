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

const eventLoss = 'A Broker takes the events with it that it has not delivered'
const recreate =
  'once nobody sends events to it, take spec.eventing.broker and spec.eventing.triggers out of the claim and put them in again'

export const broker: ComposedResource = {
  key: 'broker',
  build: (claim, lifecycle) => {
    const asked = claim.eventing?.broker
    // One that we made stays while triggers listen to it, whatever `create` says: deleting it would lose events.
    if (asked === undefined || !(asked.create || lifecycle === 'existing')) return undefined
    return {
      ...BROKER,
      metadata: metadata(claim, asked.name, { annotations: { [CLASS_ANNOTATION]: asked.class } }),
      // The class's own config is filled in by Knative and can't be changed: not ours.
      spec: { ...delivery(asked.delivery, claim) },
    }
  },
  ready: (observed, claim) => {
    const name = claim.eventing?.broker?.name ?? claim.name
    if (claim.eventing?.broker?.create === false)
      return notReady(
        'Kept',
        `Broker ${name} was made for this claim, and with create false it would be deleted. ${eventLoss}, so it stays. Take create: false back, or, ${recreate}.`,
      )
    return eventingReadiness(`Broker ${name}`, observed, `See: kubectl -n ${claim.namespace} describe broker ${name}`)
  },
  readyCondition: 'Ready',
  immutable: [
    {
      path: ['metadata', 'name'],
      called: 'name',
      advice: () =>
        `${eventLoss}, and those who send to it would have to know the new name. Take the change of spec.eventing.broker.name back, or, ${recreate}.`,
    },
    {
      path: ['metadata', 'annotations', CLASS_ANNOTATION],
      called: 'class',
      advice: () => `${eventLoss}. Take the change of spec.eventing.broker.class back, or, ${recreate}.`,
      asked: ({ eventing }: ResolvedClaim) => eventing?.broker?.ownClass === true,
    },
  ],
}
