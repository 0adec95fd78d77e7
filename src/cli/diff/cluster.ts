import { COMPOSITE_KIND, KIND } from '../../claim/identity.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { controllerOf, groupKindOf } from '../../kubernetes/objects.ts'
import { isComposer } from '../../reconcile/applied.ts'
import type { Observed } from '../../reconcile/observe.ts'
import { API_VERSION } from '../../reconcile/parse-claim.ts'
import { type Api, isAbsent, itemsOf } from '../doctor/api.ts'
import type { Named } from '../doctor/claims.ts'
import type { Answer } from '../doctor/http.ts'
import { checkPackages } from '../doctor/packages.ts'
import { KEY_ANNOTATION } from '../observed.ts'
import { fail } from '../stderr.ts'
import { type Applied, composedKinds, type Live, type Seen } from './live.ts'
import { applyLocally } from './local-apply.ts'

const path = (apiVersion: string, plural: string, { namespace, name }: { readonly namespace?: string; readonly name?: string }) =>
  [
    apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`,
    ...(namespace === undefined ? [] : ['namespaces', encodeURIComponent(namespace)]),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
  ].join('/')

const CLAIMS = `${KIND.toLowerCase()}s`
const COMPOSITES = `${COMPOSITE_KIND.toLowerCase()}s`

/** Undefined for a kind that no claim becomes. */
function pathOf(object: JsonObject): string | undefined {
  const kind = composedKinds.get(groupKindOf(object))
  if (kind === undefined) return undefined
  const [namespace = '', name = ''] = ['namespace', 'name'].map(field => textOf(at(object, 'metadata', field)))
  return path(textOf(object.apiVersion), kind.plural, { ...(kind.isNamespaced && { namespace }), name })
}

export async function readCluster(api: Api): Promise<Live> {
  const { platformOf } = await checkPackages(api)
  const read = async (path: string) => objectOf(path, await api.get(path))
  const versions = new Map<string, Promise<Answer>>()
  const find = async (object: JsonObject) => {
    const path = pathOf(object)
    return path === undefined ? undefined : read(path)
  }

  async function observe({ namespace, name }: Named): Promise<Seen> {
    const claim = await read(path(API_VERSION, CLAIMS, { namespace, name }))
    const reference = at(claim, 'spec', 'resourceRef', 'name')
    // In the namespaced flavour the claim is the composite.
    const composite = reference === undefined ? claim : await read(path(API_VERSION, COMPOSITES, { name: textOf(reference) }))
    if (composite === undefined) return { composite: {}, observed: {} }
    const references = items(at(composite, 'spec', 'resourceRefs') ?? at(composite, 'spec', 'crossplane', 'resourceRefs'))
    const objects = await Promise.all(
      references.filter(isObject).map(({ apiVersion, kind, namespace: own, name }) =>
        // Crossplane stores a reference before it knows the name.
        name === undefined ? undefined : find({ apiVersion, kind, metadata: { namespace: own ?? namespace, name } }),
      ),
    )
    return { composite, observed: ownObjects(objects, composite) }
  }

  async function apply(wanted: JsonObject, before: JsonObject | undefined): Promise<Applied> {
    const path = pathOf(wanted)
    // Crossplane gives an Object of provider-kubernetes its name.
    if (path === undefined || at(wanted, 'metadata', 'name') === undefined) return { before, after: wanted }
    let live = before === undefined || before.apiVersion === wanted.apiVersion ? before : await read(path)
    for (let attempt = 1; ; attempt++) {
      const answer = await api.dryRunApply(path, atVersion(wanted, live), managerOf(live))
      if (answer.ok && isObject(answer.body)) return { before: live, after: answer.body }
      const reason = answer.ok ? 'the response is no object' : answer.reason
      const status = answer.ok ? undefined : answer.status
      if (status === undefined || status === 401) return fail('eds diff', `${path} can't be compared: ${reason}`)
      if (status === CONFLICT && live !== undefined && attempt < MOST_ATTEMPTS) {
        live = await read(path)
        continue
      }
      const estimate = { before: live, after: applyLocally(wanted, live) }
      return status === 403 || DRY_RUN.test(reason) ? { ...estimate, estimated: reason } : { ...estimate, problem: reason }
    }
  }

  return {
    claims: async () => {
      const all = path(API_VERSION, CLAIMS, {})
      const answer = await api.get(all)
      if (!answer.ok) return fail('eds diff', `${all} can't be read: ${answer.reason}`)
      return itemsOf(answer).map(claim => ({ ...claim, apiVersion: API_VERSION, kind: KIND }))
    },
    claim: named => read(path(API_VERSION, CLAIMS, named)),
    observe,
    platformOf,
    find,
    knowsKind: async ({ apiVersion, kind }) => {
      const version = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
      const answer = versions.get(version) ?? api.get(version)
      versions.set(version, answer)
      const known = await answer
      return known.ok ? items(at(known.body, 'resources')).some(resource => at(resource, 'kind') === kind) : !isAbsent(known)
    },
    apply,
  }
}

const CONFLICT = 409
const MOST_ATTEMPTS = 5
/** https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#side-effects */
const DRY_RUN = /does not support dry run/i

function objectOf(path: string, answer: Answer): JsonObject | undefined {
  if (answer.ok && isObject(answer.body)) return answer.body
  if (isAbsent(answer)) return undefined
  return fail('eds diff', `${path} can't be read: ${answer.ok ? 'the response is no object' : answer.reason}`)
}

/** By resource key, like Crossplane: without those of another composite. */
function ownObjects(objects: readonly (JsonObject | undefined)[], composite: JsonObject): Observed {
  const uid = at(composite, 'metadata', 'uid')
  return Object.fromEntries(
    objects.flatMap((object): [string, JsonObject][] => {
      const key = at(object, 'metadata', 'annotations', KEY_ANNOTATION)
      if (object === undefined || typeof key !== 'string') return []
      const owner = controllerOf(object)
      return owner === undefined || owner.uid === uid ? [[key, object]] : []
    }),
  )
}

/** The same state on both sides, because KEDA may scale in between. The API server answers 409 to another version. */
const atVersion = (wanted: JsonObject, live: JsonObject | undefined): JsonObject => {
  const resourceVersion = at(live, 'metadata', 'resourceVersion')
  return resourceVersion === undefined ? wanted : { ...wanted, metadata: { ...(wanted.metadata as JsonObject), resourceVersion } }
}

/** The name has a hash of the composite. An adopted object has none yet, so any name does. */
function managerOf(live: JsonObject | undefined): string {
  const own = items(at(live, 'metadata', 'managedFields')).filter(isComposer)
  const newest = own.toSorted((a, b) => (time(a) < time(b) ? 1 : -1))[0]
  return newest === undefined ? 'apiextensions.crossplane.io/composed' : textOf(at(newest, 'manager'))
}

const time = (entry: Json) => textOf(at(entry, 'time') ?? '')
