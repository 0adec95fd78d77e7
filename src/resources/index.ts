// Everything that a claim can become, in the order in which people read it.
import type { Claim } from '../claim/claim.ts'
import { deployment } from './deployment.ts'
import type { ComposedResource } from './resource.ts'
import { scaledObject } from './scaled-object.ts'
import { httpService, service } from './service.ts'
import { serviceAccount } from './service-account.ts'

export const resourcesOf = (_claim: Claim): readonly ComposedResource[] => [serviceAccount, deployment, service, httpService, scaledObject]
