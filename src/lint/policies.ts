// Which pods policies select, and what they let in.
import type { Path } from '../claim/findings.ts'
import { at, items, type Json, nonEmptyText } from '../kubernetes/json.ts'
import { type Inventory, type LintObject, labelsAt, say, selects } from './inventory.ts'
import { listOf, serviceOf } from './routes.ts'
import { eachOf, type Report } from './rule.ts'

const AUTHORIZATION_POLICY = 'security.istio.io/AuthorizationPolicy'

/** The path of each kind's selector of pods. */
const selectors: Readonly<Record<string, Path>> = {
  [AUTHORIZATION_POLICY]: ['spec', 'selector', 'matchLabels'],
  'security.istio.io/PeerAuthentication': ['spec', 'selector', 'matchLabels'],
  'security.istio.io/RequestAuthentication': ['spec', 'selector', 'matchLabels'],
  'telemetry.istio.io/Telemetry': ['spec', 'selector', 'matchLabels'],
  'networking.istio.io/Sidecar': ['spec', 'workloadSelector', 'labels'],
  'networking.istio.io/EnvoyFilter': ['spec', 'workloadSelector', 'labels'],
  'networking.istio.io/DestinationRule': ['spec', 'workloadSelector', 'matchLabels'],
  'networking.k8s.io/NetworkPolicy': ['spec', 'podSelector', 'matchLabels'],
  'policy/PodDisruptionBudget': ['spec', 'selector', 'matchLabels'],
  '/Service': ['spec', 'selector'],
}

/** Policies in the namespace of istiod are for the pods of all namespaces. */
const ROOT_NAMESPACE = 'istio-system'

export const selectsNothing = eachOf(Object.keys(selectors), (object, inventory) => {
  const service = serviceOf(nonEmptyText(at(object.value, 'spec', 'host')) ?? '', object.namespace)
  const subsets = service === undefined ? [] : listOf(at(object.value, 'spec'), 'subsets')
  return [
    ...withoutPods(object, object.namespace, inventory, selectors[object.groupKind] ?? []),
    ...subsets.flatMap(([, place]) => withoutPods(object, service?.namespace ?? '', inventory, ['spec', ...place, 'labels'])),
  ]
})

function withoutPods(object: LintObject, namespace: string, inventory: Inventory, path: Path): Report[] {
  const selector = labelsAt(object.value, path)
  const isAnywhere = Object.keys(selector).length === 0 || namespace === ROOT_NAMESPACE
  if (isAnywhere || podsOf(namespace, inventory, selector).length > 0) return []
  const labels = Object.entries(selector).map(([label, value]) => `${label}=${value}`)
  const problem = `selects nothing: no pods in namespace ${namespace} have the labels ${labels.join(', ')}`
  return [{ object, path, problem, absentFrom: namespace }]
}

const podsOf = (namespace: string, { pods }: Inventory, selector: ReturnType<typeof labelsAt>) =>
  pods.filter(pod => pod.namespace === namespace && selects(selector, pod.labels))

/** Istio lets a request in if any ALLOW policy does, so a token that one of them asks for is not required beside another. */
export const allowBesideAllow = eachOf([AUTHORIZATION_POLICY], (object, inventory) => {
  if (!isAllow(object)) return []
  const others = inventory
    .ofKind(AUTHORIZATION_POLICY)
    .filter(other => other !== object && other.namespace === object.namespace && isAllow(other) && shareAPod(object, other, inventory))
  const reports = rulesOf(object).flatMap(([rule, place]): Report[] => {
    const path = tokenOf(rule)
    const wider = path && others.find(other => rulesOf(other).some(([one]) => tokenOf(one) === undefined && mayMeet(rule, one)))
    if (path === undefined || wider === undefined) return []
    const problem = `requires no token, because ${say(wider)} lets requests in without one, and any ALLOW policy suffices: use action DENY with notRequestPrincipals: ["*"]`
    return [{ object, path: ['spec', ...place, ...path], problem }]
  })
  return reports.slice(0, 1)
})

const isAllow = ({ value }: LintObject) => (at(value, 'spec', 'action') ?? 'ALLOW') === 'ALLOW'
const rulesOf = ({ value }: LintObject) => listOf(at(value, 'spec'), 'rules')

function shareAPod(one: LintObject, other: LintObject, inventory: Inventory): boolean {
  const [a, b] = [one, other].map(({ value }) => labelsAt(value, ['spec', 'selector', 'matchLabels']))
  if (a === undefined || b === undefined) return false
  return selects(a, b) || selects(b, a) || podsOf(one.namespace, inventory, { ...a, ...b }).some(({ labels }) => selects(a, labels))
}

/** The path at which a rule asks for a token; undefined if a request without one can pass. */
function tokenOf(rule: Json): Path | undefined {
  const sources = listOf(rule, 'from').map(([from, place]): [readonly Json[], Path] => [
    items(at(from, 'source', 'requestPrincipals')),
    [...place, 'source', 'requestPrincipals'],
  ])
  if (sources.length > 0 && sources.every(([principals]) => principals.length > 0)) return sources[0]?.[1]
  const [condition] = listOf(rule, 'when').filter(
    ([when]) => nonEmptyText(at(when, 'key'))?.startsWith('request.auth.') && items(at(when, 'values')).length > 0,
  )
  return condition?.[1]
}

/** Whether a request can match the operations of both rules. */
function mayMeet(one: Json, other: Json): boolean {
  const [a, b] = [operationsOf(one), operationsOf(other)]
  return a.some(first => b.some(second => meet(first, second)))
}

const operationsOf = (rule: Json): readonly Json[] => {
  const operations = items(at(rule, 'to')).map(to => at(to, 'operation') ?? {})
  return operations.length > 0 ? operations : [{}]
}

function meet(a: Json, b: Json): boolean {
  const texts = (operation: Json, field: string) => items(at(operation, field)).map(String)
  const isExcluded = (paths: readonly string[], by: readonly string[]) =>
    paths.length > 0 && paths.every(path => by.some(one => one === path || (one.endsWith('*') && path.startsWith(one.slice(0, -1)))))
  const shares = (field: string) => {
    const [first, second] = [texts(a, field), texts(b, field)]
    return first.length === 0 || second.length === 0 || first.some(one => second.some(two => haveCommon(one, two)))
  }
  return (
    ['methods', 'paths', 'hosts', 'ports'].every(shares) &&
    !isExcluded(texts(a, 'paths'), texts(b, 'notPaths')) &&
    !isExcluded(texts(b, 'paths'), texts(a, 'notPaths'))
  )
}

/** Whether a text matches both patterns, of which each may start or end with `*`. */
function haveCommon(one: string, other: string): boolean {
  if (one.startsWith('*') || other.startsWith('*')) return true
  const [a, b] = [one.replace(/\*$/, ''), other.replace(/\*$/, '')]
  return (one.endsWith('*') && b.startsWith(a)) || (other.endsWith('*') && a.startsWith(b)) || one === other
}
