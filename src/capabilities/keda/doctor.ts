import { type Api, isAbsent, itemsOf } from '../../cli/doctor/api.ts'
import { type Check, unknown, well, wrong } from '../../cli/doctor/check.ts'
import { checkDefinitions } from '../../cli/doctor/definitions.ts'
import { findDeployments, healthOf, imageOf, versionOf } from '../../cli/doctor/deployment.ts'
import { type Diagnosis, scalesOnNats } from '../../cli/doctor/diagnosis.ts'
import { isAtLeast, showVersion, type Version } from '../../cli/doctor/version.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { isObject } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'

/** The first version that supports accountID: docs/adr/0004-nats-account-and-account-id.md */
const MINIMUM: Version = [2, 17, 0]
const INSTALL = 'helm upgrade --install keda keda --repo https://kedacore.github.io/charts --namespace keda --create-namespace'

export const kedaDiagnosis: Diagnosis = {
  name: 'KEDA',
  isNeeded: ({ claims }) => claims.length === 0 || claims.some(scalesOnNats),
  whyUnneeded: () => 'no given claim scales on NATS',
  check: checkKeda,
}

async function checkKeda(api: Api): Promise<Check[]> {
  const [kinds, operator, metrics] = await Promise.all([
    checkDefinitions(api, 'KEDA', ['scaledobjects.keda.sh'], INSTALL),
    checkOperator(api),
    checkMetrics(api),
  ])
  // Without its CRDs KEDA is not installed, so the other checks would only repeat that.
  return kinds.state === 'wrong' ? [kinds] : [kinds, ...operator, metrics]
}

async function checkOperator(api: Api): Promise<Check[]> {
  const name = 'KEDA operator'
  const answer = await findDeployments(api, 'app.kubernetes.io/name=keda-operator')
  if (!answer.ok) return [unknown(name, `its Deployment can't be listed: ${answer.reason}`)]
  const [deployment] = itemsOf(answer)
  if (deployment === undefined)
    return [wrong(name, 'no Deployment in any namespace has the label app.kubernetes.io/name=keda-operator', INSTALL)]
  const { isWell, message, inspect } = await healthOf(api, deployment)
  const version = versionOf(deployment)
  return [
    isWell ? well(name, message) : wrong(name, message, inspect),
    version === undefined
      ? unknown('KEDA version', `can't be read from the image ${imageOf(deployment)}; KEDA ${showVersion(MINIMUM)} or later is required`)
      : isAtLeast(version, MINIMUM)
        ? well('KEDA version', showVersion(version))
        : wrong('KEDA version', `${showVersion(version)} is too old: KEDA ${showVersion(MINIMUM)} or later is required`, INSTALL),
  ]
}

const METRICS = 'v1beta1.external.metrics.k8s.io'

/** Beyond one replica the HPA queries KEDA through the API server. */
async function checkMetrics(api: Api): Promise<Check> {
  const name = 'KEDA metrics'
  const answer = await api.get(`/apis/apiregistration.k8s.io/v1/apiservices/${METRICS}`)
  if (isAbsent(answer)) return wrong(name, `APIService ${METRICS} does not exist, so claims cannot scale beyond one replica`, INSTALL)
  if (!answer.ok || !isObject(answer.body)) return unknown(name, `can't be read: ${answer.ok ? 'no object' : answer.reason}`)
  const state = observedCondition(answer.body, 'Available')
  if (state?.status === 'True') return well(name, `APIService ${METRICS} is available`)
  const why = state?.message ? `: ${state.message}` : ''
  return wrong(
    name,
    `APIService ${METRICS} is not available, so claims cannot scale beyond one replica${why}`,
    shell`kubectl describe apiservice ${METRICS}`,
  )
}
