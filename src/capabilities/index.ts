// Everything that a claim can become, in the order in which people read it.
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at } from '../kubernetes/json.ts'
import { isBeingDeleted } from '../kubernetes/objects.ts'
import type { ComposedResource, FindObserved } from './capability.ts'
import { deployment } from './deployment/deployment.ts'
import { httpService, service } from './deployment/service.ts'
import { scaledObject } from './keda/scaled-object.ts'
import { broker } from './knative-eventing/broker.ts'
import { kafkaSource } from './knative-eventing/kafka-source.ts'
import { trigger } from './knative-eventing/trigger.ts'
import { knativeService } from './knative-serving/knative-service.ts'
import { type Address, addressOf } from './workload/address.ts'
import { serviceAccount } from './workload/service-account.ts'

/** What runs, whatever the runtime; a resource that is not of the claim's runtime builds nothing. */
const workloadResources = [serviceAccount, deployment, service, httpService, knativeService, scaledObject]

/** What brings events to an address of the workload's. */
export function eventingResources(
  { name, eventing }: ResolvedClaim,
  findObserved: FindObserved,
  address: Address,
): readonly ComposedResource[] {
  if (eventing === undefined) return []
  const brokerIn = (resource: ComposedResource, ...path: string[]) => {
    const observed = findObserved(resource)
    // What is being deleted is made anew as the claim asks, and a new trigger would never let go of its Broker.
    const found = observed && !isBeingDeleted(observed) ? at(observed, ...path) : undefined
    return typeof found === 'string' ? found : undefined
  }
  // A Broker that we made stays, whatever the claim asks for, and all that hangs on it stays with it.
  const current = brokerIn(broker, 'metadata', 'name') ?? eventing.broker?.name ?? name
  const triggers = eventing.triggers.map(spec => trigger(spec, address, current))
  // A trigger that is there keeps its Broker, and events go nowhere where no trigger listens.
  const listened = triggers.map(resource => brokerIn(resource, 'spec', 'broker') ?? current)
  const fed = listened.includes(current) ? current : (listened[0] ?? current)
  return [broker, ...triggers, kafkaSource(address, fed)]
}

export const resourcesOf = (claim: ResolvedClaim, findObserved: FindObserved, address = addressOf(claim)): readonly ComposedResource[] => [
  ...workloadResources,
  ...eventingResources(claim, findObserved, address),
]
