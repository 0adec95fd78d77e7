// Where a manifest that was given and the one that a claim makes are not the same.
import { formatPath, type Path } from '../claim/findings.ts'
import { at, isObject, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { plainAnnotation } from './knative-service.ts'

/** Something that a claim can't say. */
export interface Unsaid {
  /** Kind and name of the manifest. */
  readonly object: string
  readonly path: Path
  /** What becomes of it. */
  readonly problem: string
}

/** Written by the cluster, or the same as not said. */
const IGNORED: readonly RegExp[] = [
  /^(?:status|apiVersion|metadata\.(?:name|namespace|uid|resourceVersion|generation|creationTimestamp|managedFields|finalizers|ownerReferences))$/,
  /^metadata\.annotations\["(?:(?:serving|eventing|client)\.knative\.dev\/(?:creator|lastModifier)|kubectl\.kubernetes\.io\/.*)"\]$/,
  /^spec\.template\.metadata\.creationTimestamp$/,
  /\.(?:successThreshold|enableServiceLinks|terminationMessagePath|terminationMessagePolicy)$/,
  /\.containers\[0\]\.name$/,
  /\.httpGet\.(?:port|scheme)$/,
]

/** Of what the claim adds, that which can break a service that went without. */
const RISKY = ['livenessProbe', 'readinessProbe', 'securityContext']

export function differences(object: string, given: JsonObject, made: JsonObject): Unsaid[] {
  const found: Unsaid[] = []
  const visit = (was: Json | undefined, is: Json | undefined, path: Path): void => {
    const here = formatPath(path)
    if (was === is || was === null || IGNORED.some(pattern => pattern.test(here))) return
    if (was === undefined) {
      if (RISKY.includes(String(path.at(-1)))) found.push({ object, path, problem: `is added: ${JSON.stringify(is)}` })
      return
    }
    const named = path.at(-1) === 'annotations' || path.at(-1) === 'labels'
    if (is === undefined && !named) {
      if (!isEmpty(was)) found.push({ object, path, problem: `is left out: ${JSON.stringify(was)}` })
      return
    }
    const [before, after] = [entriesOf(was, path), entriesOf(is ?? {}, path)]
    if (before === undefined || after === undefined) {
      found.push({ object, path, problem: `becomes ${JSON.stringify(is)}, was ${JSON.stringify(was)}` })
      return
    }
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const [old, now] = [before.get(key), after.get(key)]
      visit(old?.item, now?.item, [...path, old?.step ?? now?.step ?? key])
    }
  }
  visit(given, made, [])
  return found
}

const isEmpty = (value: Json) => typeof value === 'object' && value !== null && Object.keys(value).length === 0

interface Entry {
  readonly step: string | number
  readonly item: Json | undefined
}

/** What is in an object or a list, by what it is matched by; undefined for a plain value. */
function entriesOf(value: Json, path: Path): Map<string | number, Entry> | undefined {
  if (Array.isArray(value)) return new Map(value.map((item: Json, step) => [entryName(path.at(-1), item) ?? step, { step, item }]))
  if (!isObject(value)) return undefined
  const name = path.at(-1) === 'annotations' ? plainAnnotation : (key: string) => key
  return new Map(Object.entries(value).map(([step, item]) => [name(step), { step, item }]))
}

/** Variables and their sources go by their name, wherever they stand. */
function entryName(list: string | number | undefined, item: Json): string | undefined {
  if (list === 'env') return textOf(at(item, 'name'))
  if (list === 'envFrom')
    return `${textOf(at(item, 'prefix') ?? '')}${textOf(at(item, 'secretRef', 'name') ?? at(item, 'configMapRef', 'name'))}`
  return undefined
}
