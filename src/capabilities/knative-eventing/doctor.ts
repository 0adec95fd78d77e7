import type { Api } from '../../cli/doctor/api.ts'
import type { Check } from '../../cli/doctor/check.ts'
import { checkDefinitions } from '../../cli/doctor/definitions.ts'
import { type Diagnosis, noClaimNeedsIt, type Subject } from '../../cli/doctor/diagnosis.ts'

const EVENTING = 'kubectl apply -f https://github.com/knative/eventing/releases/latest/download/eventing.yaml'
const KAFKA = 'kubectl apply -f https://github.com/knative-extensions/eventing-kafka-broker/releases/latest/download/eventing-kafka.yaml'

export const eventingDiagnosis: Diagnosis = {
  name: 'Knative Eventing',
  isNeeded: ({ claims }) => claims.some(({ eventing }) => eventing !== undefined),
  whyUnneeded: noClaimNeedsIt,
  check: checkEventing,
}

async function checkEventing(api: Api, { claims }: Subject): Promise<Check[]> {
  const listens = claims.some(({ eventing }) => eventing?.broker !== undefined)
  const reads = claims.some(({ eventing }) => eventing?.kafka !== undefined)
  return Promise.all([
    ...(listens
      ? [checkDefinitions(api, 'Knative Eventing', ['brokers.eventing.knative.dev', 'triggers.eventing.knative.dev'], EVENTING)]
      : []),
    ...(reads ? [checkDefinitions(api, 'Knative KafkaSource', ['kafkasources.sources.knative.dev'], KAFKA)] : []),
  ])
}
