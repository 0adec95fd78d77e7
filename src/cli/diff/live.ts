// Where the live objects are: in a cluster (cluster.ts), or in a file that kubectl printed (file.ts).
import { capabilities } from '../../capabilities/index.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import { groupKindOf, type Manifest } from '../../kubernetes/objects.ts'
import type { Platform } from '../../platform/platform.ts'
import type { Observed } from '../../reconcile/observe.ts'
import type { Named } from '../doctor/claims.ts'

export interface Live {
  readonly claims: () => Promise<readonly JsonObject[]>
  readonly claim: (claim: Named) => Promise<JsonObject | undefined>
  readonly observe: (claim: Named) => Promise<Seen>
  /** The platform settings of a claim, if `--input` does not give them. */
  readonly platformOf: (composite: JsonObject) => Platform
  /** The object with the name of a manifest, whoever made it. */
  readonly find: (manifest: Manifest) => Promise<JsonObject | undefined>
  readonly knowsKind: (manifest: Manifest) => Promise<boolean>
  readonly apply: (wanted: JsonObject, before: JsonObject | undefined) => Promise<Applied>
}

/** What Crossplane gives to the function. */
export interface Seen {
  /** Empty for a claim that is not applied yet. */
  readonly composite: JsonObject
  readonly observed: Observed
}

export interface Applied {
  readonly before: JsonObject | undefined
  readonly after: JsonObject
  /** Why the API server was not asked. */
  readonly estimated?: string
  /** Why the API server refuses the object. */
  readonly problem?: string
}

interface ComposedKind {
  readonly plural: string
  readonly isNamespaced: boolean
}

/** The kinds that a claim can become. Other functions of a pipeline may compose more. */
export const composedKinds: ReadonlyMap<string, ComposedKind> = new Map<string, ComposedKind>([
  ...capabilities
    .flatMap(({ kinds }) => kinds)
    .map(({ apiVersion, kind, plural }): [string, ComposedKind] => [groupKindOf({ apiVersion, kind }), { plural, isNamespaced: true }]),
  ['kubernetes.crossplane.io/Object', { plural: 'objects', isNamespaced: false }],
])
