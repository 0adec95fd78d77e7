// Composes a claim and tells how its objects would change.
import { type Finding, formatPath } from '../../claim/findings.ts'
import { identify } from '../../claim/identity.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { filledIn } from '../../convert/api-server-defaults.ts'
import { at, isObject, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { isBeingDeleted } from '../../kubernetes/objects.ts'
import type { Platform } from '../../platform/platform.ts'
import { type Composed, type Composition, compose } from '../../reconcile/compose.ts'
import { kindKey } from '../../reconcile/missing-crds.ts'
import { ADOPT } from '../../reconcile/name-conflicts.ts'
import { parseClaim } from '../../reconcile/parse-claim.ts'
import { PAUSED } from '../doctor/claims.ts'
import { innerManifest } from '../observed.ts'
import { type Change, compareObjects, innerPath } from './compare.ts'
import type { Live, Seen } from './live.ts'

export interface ClaimDiff {
  readonly namespace: string
  readonly name: string
  /** Why the function refuses the claim. Its running objects stay as they are. */
  readonly findings: readonly Finding[]
  /** What is held back, and why. */
  readonly notes: readonly string[]
  readonly objects: readonly ObjectDiff[]
}

export interface ObjectDiff {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly action: 'create' | 'change' | 'delete' | 'none'
  readonly restartsPods: boolean
  /** Whether Knative makes a new revision. */
  readonly makesRevision: boolean
  readonly changes: readonly Change[]
  /** Why the API server was not asked. */
  readonly estimated?: string
  /** Why the API server refuses the object. */
  readonly problem?: string
}

export async function diffClaim(live: Live, document: JsonObject, ownPlatform: Platform | undefined): Promise<ClaimDiff> {
  const { name = '', namespace = '' } = identify(document)
  const seen = namespace === '' ? { composite: {}, observed: {} } : await live.observe({ name, namespace })
  const platform = ownPlatform ?? live.platformOf(seen.composite)
  const parsed = parseClaim(document, platform)
  if (!parsed.ok) return { namespace, name, findings: parsed.findings, notes: [], objects: [] }
  const adopt = at(document, 'metadata', 'annotations', ADOPT) === 'true'
  const { composition, existing } = await composeWith(live, parsed.claim, platform, seen, { adopt })
  const { resources } = composition
  const applied = await Promise.all(
    resources.map(composed => diffApplied(live, composed, seen.observed[composed.key] ?? existing[composed.key])),
  )
  const left = Object.entries(seen.observed).filter(
    ([key, object]) => !resources.some(resource => resource.key === key) && !isBeingDeleted(object),
  )
  return {
    namespace,
    name,
    findings: [],
    notes: [...pauseNote(document, seen.composite), ...notesOf(composition)],
    objects: [...applied, ...left.map(([, object]) => diffDeleted(object))],
  }
}

/** Answers what the function asks, like Crossplane, until it asks nothing more. */
async function composeWith(
  live: Live,
  claim: ResolvedClaim,
  platform: Platform,
  { composite, observed }: Seen,
  { adopt }: { readonly adopt: boolean },
): Promise<{ readonly composition: Composition; readonly existing: Readonly<Record<string, JsonObject | undefined>> }> {
  const existing: Record<string, JsonObject | undefined> = {}
  const kinds: Record<string, boolean> = {}
  for (;;) {
    const composition = compose(claim, platform, observed, { canAsk: true, canAskKinds: true, existing, kinds, pods: {}, composite, adopt })
    const names = composition.nameQueries.filter(({ key }) => !Object.hasOwn(existing, key))
    const unknown = composition.kindQueries.filter(manifest => !Object.hasOwn(kinds, kindKey(manifest)))
    if (names.length + unknown.length === 0) return { composition, existing }
    await Promise.all([
      ...names.map(async ({ key, manifest }) => {
        existing[key] = await live.find(manifest)
      }),
      ...unknown.map(async manifest => {
        kinds[kindKey(manifest)] = await live.knowsKind(manifest)
      }),
    ])
  }
}

const pauseNote = (...claims: readonly JsonObject[]): string[] =>
  claims.some(claim => at(claim, 'metadata', 'annotations', PAUSED) === 'true')
    ? [`The claim has the annotation ${PAUSED}, so Crossplane changes nothing until it is removed.`]
    : []

/** The conditions that say what is held back. That an object does not exist yet is no news. */
const notesOf = ({ complete, conditions }: Composition): string[] =>
  conditions
    .filter(({ ready, reason }) => !ready && (reason === 'Immutable' || (!complete && reason !== 'Creating')))
    .map(({ type, reason, message }) => `${type} ${reason}: ${message}`)

async function diffApplied(live: Live, { desired }: Composed, observed: JsonObject | undefined): Promise<ObjectDiff> {
  const wanted = asApplied(desired, observed)
  const { before, after, estimated, problem } = await live.apply(wanted, observed)
  const changes =
    before === undefined ? [{ path: [], to: wanted }] : changesOf(before, after, { isExact: estimated === undefined && !problem })
  const templateChanges = changes.some(({ path: [spec, template] }) => spec === 'spec' && template === 'template')
  const named = nameOf(after)
  return {
    ...named,
    action: before === undefined ? 'create' : changes.length > 0 ? 'change' : 'none',
    restartsPods: templateChanges && named.kind === 'Deployment' && at(before, 'spec', 'replicas') !== 0,
    makesRevision: templateChanges && isKnative(named.apiVersion),
    changes,
    ...(estimated !== undefined && { estimated }),
    ...(problem !== undefined && { problem }),
  }
}

export const isKnative = (apiVersion: string): boolean => apiVersion.startsWith('serving.knative.dev/')

const diffDeleted = (object: JsonObject): ObjectDiff => ({
  ...nameOf(object),
  action: 'delete',
  restartsPods: false,
  makesRevision: false,
  changes: [],
})

function nameOf(object: JsonObject): Pick<ObjectDiff, 'apiVersion' | 'kind' | 'name'> {
  const inner = innerManifest(object)
  return { apiVersion: textOf(inner.apiVersion), kind: textOf(inner.kind), name: textOf(at(inner, 'metadata', 'name')) }
}

/** Crossplane keeps the name of an observed object, and adds its own labels, annotation and owner. */
function asApplied(desired: JsonObject, observed: JsonObject | undefined): JsonObject {
  if (observed === undefined) return desired
  const metadata = isObject(desired.metadata) ? desired.metadata : {}
  const joined = (field: 'labels' | 'annotations') => {
    const theirs = Object.entries(at(observed, 'metadata', field) ?? {}).filter(([name]) => name.startsWith('crossplane.io/'))
    return { ...(metadata[field] as JsonObject | undefined), ...Object.fromEntries(theirs) }
  }
  const ownerReferences = at(observed, 'metadata', 'ownerReferences')
  return {
    ...desired,
    metadata: {
      ...metadata,
      name: at(observed, 'metadata', 'name'),
      labels: joined('labels'),
      annotations: joined('annotations'),
      ...(ownerReferences !== undefined && { ownerReferences }),
    },
  }
}

/** Without the API server, a default that the manifest leaves out looks like a removed field. */
function changesOf(before: JsonObject, after: JsonObject, { isExact }: { readonly isExact: boolean }): Change[] {
  const changes = compareObjects(before, after).map(change => ({ ...change, path: innerPath(after, change.path) }))
  if (isExact) return changes
  const { apiVersion, kind } = nameOf(after)
  const { isDefault } = filledIn(isKnative(apiVersion) ? 'KnativeService' : kind)
  return changes.filter(({ path, from, to }) => to !== undefined || !isDefault(formatPath(path), from))
}
