// Everything that a claim can become, in the order in which people read it.
import type { Claim } from '../claim/claim.ts'
import { broker } from './broker.ts'
import { deployment } from './deployment.ts'
import { type Address, addressOf } from './eventing-parts.ts'
import { kafkaSource } from './kafka-source.ts'
import { knativeService } from './knative-service.ts'
import type { ComposedResource } from './resource.ts'
import { scaledObject } from './scaled-object.ts'
import { httpService, service } from './service.ts'
import { serviceAccount } from './service-account.ts'
import { trigger } from './trigger.ts'

/** What runs, whatever the runtime; a resource that is not of the claim's runtime builds nothing. */
const workload = [serviceAccount, deployment, service, httpService, knativeService, scaledObject]

/** What brings events to an address of the workload's. */
export const eventingOf = ({ eventing }: Claim, address: Address): readonly ComposedResource[] =>
  eventing === undefined ? [] : [broker, ...eventing.triggers.map(spec => trigger(spec, address)), kafkaSource(address)]

export const resourcesOf = (claim: Claim, address = addressOf(claim)): readonly ComposedResource[] => [
  ...workload,
  ...eventingOf(claim, address),
]
