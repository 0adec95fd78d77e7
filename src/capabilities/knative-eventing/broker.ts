import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { ComposedResource } from '../capability.ts'
import { notReady } from '../readiness.ts'
import { metadata } from '../workload/labels.ts'
import { delivery } from './delivery.ts'
import { eventingReadiness } from './readiness.ts'

export const EVENTING_API_VERSION = 'eventing.knative.dev/v1'

const CLASS_ANNOTATION = 'eventing.knative.dev/broker.class'

const eventLoss = 'A Broker takes the events with it that it has not delivered'
const recreate =
  'once nobody sends events to it, take spec.eventing.broker and spec.eventing.triggers out of the claim and put them in again'

export const broker: ComposedResource = {
  key: 'broker',
  concern: 'Eventing',
  build: (claim, _, there) => {
    const asked = claim.eventing?.broker
    // One that we made stays while triggers listen to it, whatever `create` says: deleting it would lose events.
    if (asked === undefined || !(asked.create || there)) return undefined
    return {
      apiVersion: EVENTING_API_VERSION,
      kind: 'Broker',
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
