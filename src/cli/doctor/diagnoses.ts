import { buildDiagnosis } from '../../capabilities/build/doctor.ts'
import { kedaDiagnosis } from '../../capabilities/keda/doctor.ts'
import { eventingDiagnosis } from '../../capabilities/knative-eventing/doctor.ts'
import { servingDiagnosis } from '../../capabilities/knative-serving/doctor.ts'
import { meshDiagnosis } from '../../capabilities/mesh/doctor.ts'
import { observabilityDiagnosis } from '../../capabilities/observability/doctor.ts'
import type { Api } from './api.ts'
import { type Check, unneeded } from './check.ts'
import type { Diagnosis, Subject } from './diagnosis.ts'
import { natsDiagnosis } from './nats.ts'

/** One for each product, in the order of the output. */
const diagnoses: readonly Diagnosis[] = [
  kedaDiagnosis,
  servingDiagnosis,
  eventingDiagnosis,
  meshDiagnosis,
  observabilityDiagnosis,
  buildDiagnosis,
  natsDiagnosis,
]

export const checkProducts = async (api: Api, subject: Subject): Promise<Check[]> =>
  (
    await Promise.all(
      diagnoses.map(({ name, isNeeded, whyUnneeded, check }) =>
        isNeeded(subject) ? check(api, subject) : [unneeded(name, whyUnneeded(subject))],
      ),
    )
  ).flat()
