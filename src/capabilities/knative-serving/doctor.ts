import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { type Api, isAbsent } from '../../cli/doctor/api.ts'
import { type Check, unknown, well, wrong } from '../../cli/doctor/check.ts'
import { checkDefinitions } from '../../cli/doctor/definitions.ts'
import { type Diagnosis, noClaimNeedsIt, type Subject } from '../../cli/doctor/diagnosis.ts'
import { at, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'

const INSTALL =
  'kubectl apply -f https://github.com/knative/serving/releases/latest/download/serving-crds.yaml -f https://github.com/knative/serving/releases/latest/download/serving-core.yaml'

interface Flag {
  readonly map: 'config-features' | 'config-autoscaler'
  readonly key: string
  /** The values that enable the flag; the first is the one to set. */
  readonly on: readonly string[]
  /** Whether Knative enables the flag by default. */
  readonly isDefault: boolean
  /** The fields that need the flag; undefined if none does. */
  readonly need: (subject: Subject) => string | undefined
}

const inputSets =
  (feature: 'knativeInitContainers' | 'knativeInitialScaleZero'): Flag['need'] =>
  ({ platform: { features } }) =>
    features[feature] ? `the function input sets features.${feature}: true` : undefined

/** features.knativeEmptyDir is true by default, so only a claim shows that the flag is needed. */
function claimMounts({ claims }: Subject): string | undefined {
  const claim = claims.find(hasEmptyDir)
  return claim && `claim ${claim.namespace}/${claim.name} has an emptyDir volume`
}

const hasEmptyDir = ({ runtime, files, rootFilesystem, platform: { features } }: ResolvedClaim) =>
  runtime === 'Knative' && features.knativeEmptyDir && (rootFilesystem === 'ReadOnly' || files.some(({ kind }) => kind === 'Scratch'))

const flags: readonly Flag[] = [
  {
    map: 'config-features',
    key: 'kubernetes.podspec-init-containers',
    on: ['enabled', 'allowed'],
    isDefault: false,
    need: inputSets('knativeInitContainers'),
  },
  {
    map: 'config-features',
    key: 'kubernetes.podspec-volumes-emptydir',
    on: ['enabled', 'allowed'],
    isDefault: true,
    need: claimMounts,
  },
  { map: 'config-autoscaler', key: 'allow-zero-initial-scale', on: ['true'], isDefault: false, need: inputSets('knativeInitialScaleZero') },
]

export const servingDiagnosis: Diagnosis = {
  name: 'Knative Serving',
  isNeeded: subject => subject.claims.some(({ runtime }) => runtime === 'Knative') || flags.some(({ need }) => need(subject) !== undefined),
  whyUnneeded: noClaimNeedsIt,
  check: checkServing,
}

async function checkServing(api: Api, subject: Subject): Promise<Check[]> {
  const [kinds, ...rows] = await Promise.all([
    checkDefinitions(api, 'Knative Serving', ['services.serving.knative.dev'], INSTALL),
    ...flags.flatMap(flag => {
      const need = flag.need(subject)
      return need === undefined ? [] : [checkFlag(api, flag, need)]
    }),
  ])
  return kinds.state === 'wrong' ? [kinds] : [kinds, ...rows]
}

async function checkFlag(api: Api, { map, key, on, isDefault }: Flag, need: string): Promise<Check> {
  const name = `Knative ${key}`
  const answer = await api.get(`/api/v1/namespaces/knative-serving/configmaps/${map}`)
  if (!answer.ok && !isAbsent(answer)) return unknown(name, `ConfigMap knative-serving/${map} can't be read: ${answer.reason}`)
  const value = answer.ok ? at(answer.body, 'data', key) : undefined
  const found = value === undefined ? 'no such key' : `'${textOf(value)}'`
  if (value === undefined && isDefault)
    return well(name, `enabled by default, as ConfigMap knative-serving/${map} has no such key; ${need}`)
  if (typeof value === 'string' && on.includes(value.toLowerCase()))
    return well(name, `${found} in ConfigMap knative-serving/${map}; ${need}`)
  const patch = JSON.stringify({ data: { [key]: on[0] } })
  return wrong(
    name,
    `${need}, but ConfigMap knative-serving/${map} has ${found}, so Knative rejects the Services of claims`,
    shell`kubectl -n knative-serving patch configmap ${map} --type merge -p ${patch}`,
  )
}
