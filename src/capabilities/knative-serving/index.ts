import type { Knative } from '../../claim/resolved-claim.ts'
import type { Capability, RuntimeParts } from '../capability.ts'
import { checkKnativeServing } from './checks.ts'
import { knativeAddress, knativeService, knativeServiceKind, standInKnativeService } from './knative-service.ts'

export const knativeServing: Capability<Knative> = {
  name: 'knative-serving',
  condition: 'Workload',
  role: { name: 'knative', purpose: 'runtime Knative.' },
  kinds: [knativeServiceKind],
  isUsual: ({ features }) => features.knativeInitContainers || features.knativeInitialScaleZero,
  check: checkKnativeServing,
  resolve: ({ runtime, knative }) => (runtime === 'Knative' ? knative : undefined),
  resources: () => [knativeService],
}

export const knativeRuntime: RuntimeParts = {
  noun: 'Knative Service',
  entryPoint: knativeService,
  standIn: standInKnativeService,
  others: [],
  address: knativeAddress,
}
