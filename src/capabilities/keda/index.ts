import type { Scaling } from '../../claim/resolved-claim.ts'
import type { Capability } from '../capability.ts'
import { deploymentRole } from '../workload/roles.ts'
import { scaledObject, scaledObjectKind } from './scaled-object.ts'

export const keda: Capability<Scaling> = {
  name: 'keda',
  condition: 'Scaling',
  role: deploymentRole,
  isUsual: () => true,
  kinds: [scaledObjectKind],
  resolve: ({ runtime, nats, scaling }) => (runtime === 'Deployment' && nats !== undefined ? scaling : undefined),
  resources: () => [scaledObject],
}
