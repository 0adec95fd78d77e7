// Field by field: what the manifests say, and what the claim becomes.
import { formatPath, type Path } from '../claim/findings.ts'
import { at, isObject, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { parseQuantity } from '../kubernetes/quantity.ts'
import { isOfTheCluster, standardOf } from './api-server-defaults.ts'
import type { Row, Verdict } from './comparison.ts'
import { initOf, mainOf, portNumber, triggerOf } from './deployment.ts'
import { reasonFor } from './reasons.ts'

export interface Pair {
  readonly given?: JsonObject | undefined
  readonly made?: JsonObject | undefined
}

/** Compares one object; `pods` are the Deployments, which say what a port is called. */
export function compare({ given, made }: Pair, pods: Pair): Row[] {
  const kind = textOf(at(given ?? made, 'kind'))
  const object = `${kind} ${textOf(at(given ?? made, 'metadata', 'name'))}`
  const row = (verdict: Verdict, path: Path, was: Json | undefined, is: Json | undefined): Row => {
    const because = reasonFor(verdict, formatPath([kind, ...path]))
    return {
      object,
      path: formatPath(path),
      verdict,
      ...(was !== undefined && { was }),
      ...(is !== undefined && { is }),
      ...(because !== undefined && { because }),
    }
  }
  const visit = (was: Json | undefined, is: Json | undefined, path: Path): Row[] => {
    const here = formatPath([kind, ...path])
    if (isOfTheCluster(here) || (isEmpty(was) && isEmpty(is))) return []
    if (isEmpty(is) && isStandard(was, here)) return []
    if (isEmpty(is) && !MIXED.test(here)) return [row('unsaid', path, was, undefined)]
    if (isEmpty(was) && isStandard(is, here)) return [row('same', path, is, is)]
    const [before, after] = [entriesOf(was, path, given), entriesOf(is, path, made)]
    if (isEmpty(was) && (WHOLE.test(here) || !isObject(is))) return [row('added', path, undefined, is)]
    if (isSame(was, is, here, pods)) return [row('same', path, was, is)]
    if (before === undefined || after === undefined || isOtherKind(was, is)) return [row('different', path, was, is)]
    return [...new Set([...before.keys(), ...after.keys()])].flatMap(key => {
      const [old, now] = [before.get(key), after.get(key)]
      return visit(old?.item, now?.item, [...path, old?.step ?? now?.step ?? key])
    })
  }
  if (given === undefined) return [row('added', [], undefined, made)]
  if (made === undefined) return [row('unsaid', [], given, undefined)]
  const [was, is] = [at(given, 'metadata', 'name'), at(made, 'metadata', 'name')]
  return [row(was === is ? 'same' : 'different', ['metadata', 'name'], was, is), ...visit(given, made, [])]
}

/** Whether the value is what holds where nothing is said. */
const isStandard = (value: Json | undefined, here: string): boolean =>
  value === standardOf(here) ||
  here.endsWith('.imagePullPolicy') ||
  // The cluster chooses an address. A Service without one is another thing.
  (here === 'Service.spec.clusterIP' && value !== 'None')

/** In these what people wrote stands beside what the cluster wrote. */
const MIXED = /\.(?:labels|annotations|strategy|rollingUpdate)$/

/** Of these a part is no help without the rest. */
const WHOLE = /(?:Probe|securityContext|\.(?:env|volumes|imagePullSecrets)(?:\.\w+|\["[^"]*"\])|\.resources\.\w+|\.advanced|\.ports\.\w+)$/

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)

function isSame(was: Json | undefined, is: Json | undefined, here: string, pods: Pair): boolean {
  if (was === is || (Array.isArray(was) && JSON.stringify(was) === JSON.stringify(is))) return true
  if (/\.resources\.(?:requests|limits)\.\w+$/.test(here))
    return parseQuantity(was) !== undefined && parseQuantity(was) === parseQuantity(is)
  if (/\.(?:targetPort|httpGet\.port)$/.test(here)) return portNumber(was, mainIn(pods.given)) === portNumber(is, mainIn(pods.made))
  return false
}

const mainIn = (deployment: JsonObject | undefined) =>
  deployment && at(deployment, 'spec', 'template', 'spec', 'containers', mainOf(deployment))

/** A variable by value against one by reference, or a probe by another means, is not a matter of single fields. */
const isOtherKind = (was: Json | undefined, is: Json | undefined): boolean =>
  alternatives.some(fields => {
    const [before, after] = [fields.filter(field => at(was, field) !== undefined), fields.filter(field => at(is, field) !== undefined)]
    return before.length > 0 && after.length > 0 && before.join() !== after.join()
  })

const alternatives = [
  ['value', 'valueFrom'],
  ['httpGet', 'exec', 'tcpSocket', 'grpc'],
]

interface Entry {
  readonly step: string | number
  readonly item: Json | undefined
}

/** What is in an object or a list, by what it is matched by; undefined for a plain value, or a list that is one value. */
function entriesOf(value: Json | undefined, path: Path, root: JsonObject | undefined): Map<string, Entry> | undefined {
  if (isEmpty(value)) return new Map()
  if (isObject(value)) return new Map(Object.entries(value).map(([step, item]) => [step, { step, item }]))
  if (!Array.isArray(value)) return undefined
  const list = String(path.at(-1))
  const keyOf = Object.hasOwn(lists, list) ? lists[list] : undefined
  return keyOf && new Map(value.map((item: Json, index) => keyOf(item, index, root ?? {})))
}

type NameIn = (item: Json, index: number, root: JsonObject) => [string, Entry]

/** Known by a name of its own. */
const named =
  (name: (item: Json) => string): NameIn =>
  item => [name(item), { step: name(item), item }]

const byName = named(item => textOf(at(item, 'name')))

/** One is the one that the claim makes; the others go by their name. */
const chosen =
  (choose: (root: JsonObject) => number): NameIn =>
  (item, index, root) => [index === choose(root) ? '' : `other ${textOf(at(item, 'name') ?? index)}`, { step: index, item }]

const lists: Readonly<Record<string, NameIn>> = {
  containers: chosen(mainOf),
  initContainers: chosen(initOf),
  triggers: chosen(triggerOf),
  env: byName,
  volumes: byName,
  imagePullSecrets: byName,
  envFrom: named(item => `${textOf(at(item, 'prefix') ?? '')}${textOf(at(item, 'secretRef', 'name') ?? at(item, 'configMapRef', 'name'))}`),
  ports: named(item => textOf(at(item, 'containerPort') ?? at(item, 'port'))),
}
