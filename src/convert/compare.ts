// Compares given manifests with the rendered ones, field by field.

import { triggerOf } from '../capabilities/deployment/import.ts'
import { plainAnnotation } from '../capabilities/knative-serving/import.ts'
import { formatPath, type Path } from '../claim/findings.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { parseQuantity } from '../kubernetes/quantity.ts'
import { sortKeys } from '../kubernetes/sort-keys.ts'
import { filledIn } from './api-server-defaults.ts'
import { initOf, mainOf } from './containers.ts'
import { type BrokenReference, brokenReferences, movedSources } from './env-references.ts'
import { portNumber } from './port-number.ts'
import { reasonFor, type Verdict } from './reasons.ts'

export interface Row {
  /** Kind and name of the given object, or of the rendered one. */
  readonly object: string
  /** Variables, volumes and ports go by their name. Empty for the whole object. */
  readonly path: string
  /** The same with the indices of the given manifest. */
  readonly place: Path
  readonly verdict: Verdict
  readonly was?: Json
  readonly is?: Json
  readonly because?: string
}

export interface Pair {
  readonly given?: JsonObject | undefined
  readonly made?: JsonObject | undefined
}

interface Location {
  readonly path: Path
  readonly place: Path
}

const WHOLE_OBJECT: Location = { path: [], place: [] }

/** Kubernetes and Knative both have a Service. */
const kindIn = (object: JsonObject | undefined) =>
  textOf(at(object, 'apiVersion')).startsWith('serving.knative.dev/') ? 'KnativeService' : textOf(at(object, 'kind'))

/** Compares one object. `pods` are the two Deployments, which name the ports. */
export function compare({ given, made }: Pair, pods: Pair): Row[] {
  const kind = kindIn(given ?? made)
  const { owns, isDefault, isFilledIn } = filledIn(kind)
  const object = `${textOf(at(given ?? made, 'kind'))} ${textOf(at(given ?? made, 'metadata', 'name'))}`
  const row = (verdict: Verdict, { path, place }: Location, was: Json | undefined, is: Json | undefined): Row => {
    const because = reasonFor(verdict, formatPath([kind, ...path]))
    return {
      object,
      path: formatPath(path),
      place,
      verdict,
      ...(was !== undefined && { was }),
      ...(is !== undefined && { is }),
      ...(because !== undefined && { because }),
    }
  }
  const visit = (was: Json | undefined, is: Json | undefined, location: Location): Row[] => {
    const { path, place } = location
    const here = formatPath(path)
    if (owns(here) || (isEmpty(was) && isEmpty(is))) return []
    if (isEmpty(is) && isDefault(here, was)) return []
    if (isEmpty(is) && !MIXED.test(here)) return [row('unsaid', location, was, undefined)]
    if (isEmpty(was) && isDefault(here, is)) return [row('same', location, is, is)]
    const [before, after] = [entriesOf(was, path, given), entriesOf(is, path, made)]
    if (isEmpty(was) && (WHOLE.test(here) || !isObject(is))) return [row('added', location, undefined, is)]
    if (isSame(was, is, here, pods)) return [row('same', location, was, is)]
    // kubectl prints it, although no author asked for it.
    if (isFilledIn(here, was)) return [row('added', location, undefined, is)]
    if (before === undefined || after === undefined || isOtherKind(was, is)) return [row('different', location, was, is)]
    return [...new Set([...before.keys(), ...after.keys()])].flatMap(key => {
      const [old, now] = [before.get(key), after.get(key)]
      const step = old?.step ?? now?.step ?? key
      return visit(old?.item, now?.item, { path: [...path, step], place: [...place, old?.place ?? step] })
    })
  }
  if (given === undefined) return [row('added', WHOLE_OBJECT, undefined, made)]
  if (made === undefined) return [row('unsaid', WHOLE_OBJECT, given, undefined)]
  const [was, is] = [at(given, 'metadata', 'name'), at(made, 'metadata', 'name')]
  const name = { path: ['metadata', 'name'], place: ['metadata', 'name'] }
  return [row(was === is ? 'same' : 'different', name, was, is), ...visit(given, made, WHOLE_OBJECT), ...referenceRows(object, given, made)]
}

/** Variables of the same value that no longer find what they refer to, or no longer replace another. */
function referenceRows(object: string, given: JsonObject, made: JsonObject): Row[] {
  const list = (workload: JsonObject, field: string): Path => ['spec', 'template', 'spec', 'containers', mainOf(workload), field]
  const [env, envFrom] = [list(given, 'env'), list(given, 'envFrom')]
  const rows = (path: Path, broken: readonly BrokenReference[]) =>
    broken.map(
      ({ name, index, value, problem }): Row => ({
        object,
        path: formatPath([...path, name]),
        place: [...path, index],
        verdict: 'different',
        was: value,
        is: value,
        because: problem,
      }),
    )
  return [
    ...rows(env, brokenReferences(items(at(given, ...env)), items(at(made, ...list(made, 'env'))))),
    ...rows(envFrom, movedSources(items(at(given, ...envFrom)))),
  ]
}

/** These mix fields of the author and of the cluster. */
const MIXED = /(?:^spec|\.(?:labels|annotations|strategy|rollingUpdate))$/

/** These are shown as a whole. */
const WHOLE =
  /(?:Probe|securityContext|\.lifecycle|\.(?:env|volumes|volumeMounts|imagePullSecrets)(?:\.[\w$-]+|\["[^"]*"\])|\.resources\.\w+|\.advanced|\.ports\.\w+)$/

/** An object of empty objects is empty, such as `net` of a KafkaSource without credentials. */
const isEmpty = (value: Json | undefined): boolean =>
  value === undefined ||
  value === null ||
  (isObject(value) ? Object.values(value).every(isEmpty) : Array.isArray(value) && value.length === 0)

function isSame(was: Json | undefined, is: Json | undefined, here: string, pods: Pair): boolean {
  if (was === is || (Array.isArray(was) && JSON.stringify(sortKeys(was)) === JSON.stringify(sortKeys(is ?? null)))) return true
  if (/\.(?:resources\.(?:requests|limits)\.\w+|sizeLimit)$/.test(here))
    return parseQuantity(was) !== undefined && parseQuantity(was) === parseQuantity(is)
  // A volume and its mount are matched by the directory, whatever their names are.
  if (/\.(?:volumes|volumeMounts)(?:\.[\w$-]+|\["[^"]*"\])\.name$/.test(here)) return was !== undefined && is !== undefined
  if (/\.(?:targetPort|httpGet\.port|tcpSocket\.port)$/.test(here))
    return portNumber(was, mainIn(pods.given)) === portNumber(is, mainIn(pods.made))
  return false
}

const mainIn = (deployment: JsonObject | undefined) =>
  deployment && at(deployment, 'spec', 'template', 'spec', 'containers', mainOf(deployment))

/** A value against a reference, or an HTTP probe against another, is one difference and not one per field. */
export const isOtherKind = (was: Json | undefined, is: Json | undefined): boolean =>
  alternatives.some(fields => {
    const [before, after] = [fields.filter(field => at(was, field) !== undefined), fields.filter(field => at(is, field) !== undefined)]
    return before.length > 0 && after.length > 0 && before.join() !== after.join()
  })

const alternatives = [
  ['value', 'valueFrom'],
  ['httpGet', 'exec', 'tcpSocket', 'grpc', 'sleep'],
]

interface Entry {
  readonly step: string | number
  /** The key or the index in the object or list. */
  readonly place: string | number
  readonly item: Json | undefined
}

/** The entries of an object or a list by the key that matches them; undefined for a plain value or a list that is one value. */
function entriesOf(value: Json | undefined, path: Path, root: JsonObject | undefined): Map<string, Entry> | undefined {
  if (isEmpty(value)) return new Map()
  if (isObject(value)) {
    const key = path.at(-1) === 'annotations' ? plainAnnotation : (name: string) => name
    return new Map(Object.entries(value).map(([step, item]) => [key(step), { step, place: step, item }]))
  }
  if (!Array.isArray(value)) return undefined
  const list = String(path.at(-1))
  const keyOf = Object.hasOwn(lists, list) ? lists[list] : undefined
  return keyOf && new Map(value.map((item: Json, index) => keyOf(item, index, root ?? {})))
}

type NameIn = (item: Json, index: number, root: JsonObject) => [string, Entry]

/** Matched by its own name. */
const named =
  (name: (item: Json) => string): NameIn =>
  (item, place) => [name(item), { step: name(item), place, item }]

const byName = named(item => textOf(at(item, 'name')))

/** One entry is rendered by the claim; the others are matched by name. */
const chosen =
  (choose: (root: JsonObject) => number): NameIn =>
  (item, index, root) => [index === choose(root) ? '' : `other ${textOf(at(item, 'name') ?? index)}`, { step: index, place: index, item }]

/** Its name is the author's choice, so its first directory in the main container matches it. */
const byDirectory: NameIn = (volume, place, root) => {
  const name = textOf(at(volume, 'name'))
  const mounts = items(at(root, 'spec', 'template', 'spec', 'containers', mainOf(root), 'volumeMounts'))
  const mount = mounts.find(each => at(each, 'name') === name)
  return [mount === undefined ? `other ${name}` : textOf(at(mount, 'mountPath')), { step: name, place, item: volume }]
}

const byIndex: NameIn = (item, index) => [String(index), { step: index, place: index, item }]

/** A ConfigMap and a Secret may share a name. */
function sourceName(source: Json): string {
  const prefix = textOf(at(source, 'prefix') ?? '')
  const secret = at(source, 'secretRef', 'name')
  return secret === undefined ? `ConfigMap ${prefix}${textOf(at(source, 'configMapRef', 'name'))}` : `${prefix}${textOf(secret)}`
}

/** Ports of two protocols may share a number. */
function portName(port: Json): string {
  const number = textOf(at(port, 'containerPort') ?? at(port, 'port'))
  const protocol = textOf(at(port, 'protocol') ?? 'TCP')
  return protocol === 'TCP' ? number : `${number}/${protocol}`
}

const lists: Readonly<Record<string, NameIn>> = {
  containers: chosen(mainOf),
  initContainers: chosen(initOf),
  triggers: chosen(triggerOf),
  env: byName,
  volumes: byDirectory,
  volumeMounts: named(mount => textOf(at(mount, 'mountPath'))),
  imagePullSecrets: byName,
  envFrom: named(sourceName),
  traffic: byIndex,
  ports: named(portName),
}
