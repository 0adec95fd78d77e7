import { identify, KIND } from '../../claim/identity.ts'
import { at, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { groupKindOf, groupOf } from '../../kubernetes/objects.ts'
import { builtInPlatform } from '../../platform/platform.ts'
import { GROUP } from '../claim-documents.ts'
import type { Named } from '../doctor/claims.ts'
import { isSame, observedOf } from '../observed.ts'
import { composedKinds, type Live } from './live.ts'
import { applyLocally } from './local-apply.ts'

/** The live objects as kubectl printed them. */
export function readManifests(manifests: readonly JsonObject[]): Live {
  const own = manifests.filter(({ apiVersion }) => groupOf(textOf(apiVersion)) === GROUP)
  const claims = own.filter(({ kind }) => kind === KIND)
  const objects = manifests.filter(manifest => composedKinds.has(groupKindOf(manifest)))
  const isOf = (claim: Named) => (object: JsonObject) => {
    const { name, namespace } = identify(object)
    return name === claim.name && (namespace ?? 'default') === claim.namespace
  }
  return {
    claims: async () => claims,
    claim: async named => claims.find(isOf(named)),
    observe: async claim => ({
      composite: own.filter(isOf(claim)).find(({ kind, spec }) => kind !== KIND || at(spec, 'crossplane') !== undefined) ?? {},
      observed: observedOf(claim, [], objects),
    }),
    platformOf: () => builtInPlatform,
    find: async manifest => objects.find(object => isSame(object, manifest)),
    knowsKind: async () => true,
    apply: async (wanted, before) => ({ before, after: applyLocally(wanted, before), estimated: FROM_FILE }),
  }
}

const FROM_FILE = 'there is no API server to ask'
