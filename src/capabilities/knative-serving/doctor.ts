import { type Api, isAbsent } from '../../cli/doctor/api.ts'
import { type Check, unknown, well, wrong } from '../../cli/doctor/check.ts'
import { checkDefinitions } from '../../cli/doctor/definitions.ts'
import { type Diagnosis, noClaimNeedsIt, type Subject } from '../../cli/doctor/diagnosis.ts'
import { at, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'

const INSTALL =
  'kubectl apply -f https://github.com/knative/serving/releases/latest/download/serving-crds.yaml -f https://github.com/knative/serving/releases/latest/download/serving-core.yaml'

interface Flag {
  readonly feature: 'knativeInitContainers' | 'knativeInitialScaleZero'
  readonly map: string
  readonly key: string
  /** The values that enable the flag; the first is the one to set. */
  readonly on: readonly string[]
}

const flags: readonly Flag[] = [
  { feature: 'knativeInitContainers', map: 'config-features', key: 'kubernetes.podspec-init-containers', on: ['enabled', 'allowed'] },
  { feature: 'knativeInitialScaleZero', map: 'config-autoscaler', key: 'allow-zero-initial-scale', on: ['true'] },
]

export const servingDiagnosis: Diagnosis = {
  name: 'Knative Serving',
  isNeeded: ({ claims, platform }) =>
    claims.some(({ runtime }) => runtime === 'Knative') || flags.some(({ feature }) => platform.features[feature]),
  whyUnneeded: noClaimNeedsIt,
  check: checkServing,
}

async function checkServing(api: Api, { platform: { features } }: Subject): Promise<Check[]> {
  const wanted = flags.filter(({ feature }) => features[feature])
  const [kinds, ...rows] = await Promise.all([
    checkDefinitions(api, 'Knative Serving', ['services.serving.knative.dev'], INSTALL),
    ...wanted.map(flag => checkFlag(api, flag)),
  ])
  return kinds.state === 'wrong' ? [kinds] : [kinds, ...rows]
}

async function checkFlag(api: Api, { feature, map, key, on }: Flag): Promise<Check> {
  const name = `Knative ${key}`
  const answer = await api.get(`/api/v1/namespaces/knative-serving/configmaps/${map}`)
  if (!answer.ok && !isAbsent(answer)) return unknown(name, `ConfigMap knative-serving/${map} can't be read: ${answer.reason}`)
  const value = answer.ok ? at(answer.body, 'data', key) : undefined
  if (typeof value === 'string' && on.includes(value.toLowerCase()))
    return well(name, `'${value}' in ConfigMap knative-serving/${map}, as features.${feature} requires`)
  const patch = JSON.stringify({ data: { [key]: on[0] } })
  return wrong(
    name,
    `the function input sets features.${feature}: true, but ConfigMap knative-serving/${map} has ${value === undefined ? 'no such key' : `'${textOf(value)}'`}, so Knative rejects the Services of claims`,
    shell`kubectl -n knative-serving patch configmap ${map} --type merge -p ${patch}`,
  )
}
