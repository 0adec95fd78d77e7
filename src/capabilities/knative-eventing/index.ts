import type { Eventing, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import { isBeingDeleted } from '../../kubernetes/objects.ts'
import type { Capability, ComposedResource, Context } from '../capability.ts'
import { broker, brokerKind } from './broker.ts'
import { checkKnativeEventing } from './checks.ts'
import { kafkaSource, kafkaSourceKind } from './kafka-source.ts'
import { trigger, triggerKind } from './trigger.ts'

export const knativeEventing: Capability<Eventing> = {
  name: 'knative-eventing',
  condition: 'Eventing',
  role: { name: 'eventing', purpose: 'spec.eventing: the Broker, the Triggers and the KafkaSource of Knative Eventing.' },
  kinds: [brokerKind, triggerKind, kafkaSourceKind],
  check: checkKnativeEventing,
  resolve: ({ eventing }) => eventing,
  resources,
}

function resources(eventing: Eventing, { name }: ResolvedClaim, { findObserved, address }: Context): readonly ComposedResource[] {
  const brokerIn = (resource: ComposedResource, ...path: string[]) => {
    const observed = findObserved(resource)
    // A trigger can't leave its Broker, so a new one must not be bound to a Broker that is being deleted.
    const found = observed && !isBeingDeleted(observed) ? at(observed, ...path) : undefined
    return typeof found === 'string' ? found : undefined
  }
  // While the claim uses a Broker, our Broker keeps its name, and the triggers and sources stay bound to it.
  const current = brokerIn(broker, 'metadata', 'name') ?? eventing.broker?.name ?? name
  const triggers = eventing.triggers.map(spec => trigger(spec, address, current))
  // An existing trigger keeps its Broker. Without a trigger on a Broker, its events are lost.
  const listened = triggers.map(resource => brokerIn(resource, 'spec', 'broker') ?? current)
  const fed = listened.includes(current) ? current : (listened[0] ?? current)
  return [broker, ...triggers, kafkaSource(address, fed)]
}
