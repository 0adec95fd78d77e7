import type { Claim } from '../../claim/resolved-claim.ts'
import type { ComposedResource } from '../capability.ts'
import { notReady } from '../readiness.ts'
import { metadata } from '../workload/labels.ts'
import { delivery } from './delivery.ts'
import { judgeEventing } from './readiness.ts'

export const EVENTING = 'eventing.knative.dev/v1'

const CLASS = 'eventing.knative.dev/broker.class'

const waits = 'A Broker takes the events with it that it has not delivered'
const anew = 'once nobody sends events to it, take spec.eventing.broker and spec.eventing.triggers out of the claim and put them in again'

export const broker: ComposedResource = {
  key: 'broker',
  concern: 'Eventing',
  build: (claim, _, there) => {
    const asked = claim.eventing?.broker
    // One that we made stays while triggers listen to it, whatever `create` says: deleting it would lose events.
    if (asked === undefined || !(asked.create || there)) return undefined
    return {
      apiVersion: EVENTING,
      kind: 'Broker',
      metadata: metadata(claim, asked.name, { annotations: { [CLASS]: asked.class } }),
      // The class's own config is filled in by Knative and can't be changed: not ours.
      spec: { ...delivery(asked.delivery, claim) },
    }
  },
  ready: (observed, claim) => {
    const name = claim.eventing?.broker?.name ?? claim.name
    if (claim.eventing?.broker?.create === false)
      return notReady(
        'Kept',
        `Broker ${name} was made for this claim, and with create false it would be deleted. ${waits}, so it stays. Take create: false back, or, ${anew}.`,
      )
    return judgeEventing(`Broker ${name}`, observed, `See: kubectl -n ${claim.namespace} describe broker ${name}`)
  },
  readyCondition: 'Ready',
  immutable: [
    {
      path: ['metadata', 'name'],
      called: 'name',
      advice: () =>
        `${waits}, and those who send to it would have to know the new name. Take the change of spec.eventing.broker.name back, or, ${anew}.`,
    },
    {
      path: ['metadata', 'annotations', CLASS],
      called: 'class',
      advice: () => `${waits}. Take the change of spec.eventing.broker.class back, or, ${anew}.`,
      asked: ({ eventing }: Claim) => eventing?.broker?.ownClass === true,
    },
  ],
}
