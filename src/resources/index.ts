// Everything that a claim can become, in the order in which people read it.
import type { Claim } from '../claim/claim.ts'
import { at, isLeaving } from '../json.ts'
import { broker } from './broker.ts'
import { deployment } from './deployment.ts'
import { type Address, addressOf } from './eventing-parts.ts'
import { kafkaSource } from './kafka-source.ts'
import { knativeService } from './knative-service.ts'
import type { ComposedResource, Look } from './resource.ts'
import { scaledObject } from './scaled-object.ts'
import { httpService, service } from './service.ts'
import { serviceAccount } from './service-account.ts'
import { trigger } from './trigger.ts'

/** What runs, whatever the runtime; a resource that is not of the claim's runtime builds nothing. */
const workload = [serviceAccount, deployment, service, httpService, knativeService, scaledObject]

/** What brings events to an address of the workload's. */
export function eventingOf({ name, eventing }: Claim, look: Look, address: Address): readonly ComposedResource[] {
  if (eventing === undefined) return []
  const brokerIn = (resource: ComposedResource, ...path: string[]) => {
    const observed = look(resource)
    // What is being deleted is made anew as the claim asks, and a new trigger would never let go of its Broker.
    const found = observed && !isLeaving(observed) ? at(observed, ...path) : undefined
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

export const resourcesOf = (claim: Claim, look: Look, address = addressOf(claim)): readonly ComposedResource[] => [
  ...workload,
  ...eventingOf(claim, look, address),
]
