// Crossplane stops all work on a claim at the first object that it may not manage, so such objects are left out:
// docs/adr/0015-leave-out-forbidden-kinds.md
import type { OwnedResource } from '../capabilities/capability.ts'
import { findKind, grantCommand } from '../capabilities/index.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import { observedCondition } from '../kubernetes/conditions.ts'
import { groupOf, type Manifest } from '../kubernetes/objects.ts'
import { type ClusterLookup, wasAsked } from './cluster-lookup.ts'
import { typeOf } from './conditions.ts'
import { kindKey } from './missing-crds.ts'

const FORBIDDEN = 'KindForbidden'
// The message is also the memory of the next call.
const BEFORE_KINDS = 'Crossplane may not manage '
const AFTER_KINDS = '. '

/** Who says that a kind is forbidden: the previous call, the claim's own condition, or another claim. */
export type Source = 'reported' | 'remembered' | 'shared'

interface Wanted {
  readonly resource: OwnedResource
  readonly manifest: Manifest
}

/** Who says that Crossplane may not manage a new resource; undefined if nobody does. */
export function forbiddenBy({ resource, manifest }: Wanted, lookup: ClusterLookup): Source | undefined {
  if (wasRefused(resource.key, lookup)) return 'reported'
  const kind = kindKey(manifest)
  if (wasAsked(lookup, resource.key, kind)) return undefined
  const access = lookup.access?.get(kind)
  if (access === true) return undefined
  if (forbiddenBefore(resource, lookup).includes(resourceName({ resource, manifest }))) return 'remembered'
  return access === false ? 'shared' : undefined
}

// Crossplane retries a forbidden list for two minutes, then gives up and does not say why.
const NO_ANSWER = 'Informer to sync'
// Without the user it may be an admission plugin that refuses the object, such as a quota.
const REFUSED = / is forbidden: User "[^"]*" cannot /

/** Whether Crossplane's error of the previous call says that it may not manage the resource, or read what the function asked for. */
export function wasRefused(key: string, { composite }: ClusterLookup): boolean {
  const synced = observedCondition(composite, 'Synced')
  if (synced?.status !== 'False') return false
  const about = (subject: string) => synced.message.includes(`${subject}: `)
  if (about(`fetching resources for ${key}`)) return synced.message.includes(NO_ANSWER) || REFUSED.test(synced.message)
  return about(`cannot apply composed resource "${key}"`) && REFUSED.test(synced.message)
}

/** What the condition of a resource says is forbidden. */
function forbiddenBefore({ condition }: OwnedResource, { composite }: ClusterLookup): readonly string[] {
  const before = observedCondition(composite, typeOf(condition))
  if (before?.reason !== FORBIDDEN) return []
  const [, after = ''] = before.message.split(BEFORE_KINDS)
  const [kinds = ''] = after.split(AFTER_KINDS)
  return kinds.split(/, | and /)
}

/** The plural with its group, as in a ClusterRole and in doctor. */
function resourceName({ resource, manifest }: Wanted): string {
  const plural = findKind(manifest, resource.kinds)?.plural ?? manifest.kind
  const group = groupOf(manifest.apiVersion)
  return group === '' ? plural : `${plural}.${group}`
}

/** One message for all resources of a condition, because a condition shows one. */
export function forbidden(wanted: readonly Wanted[]): Readiness {
  const names = unique(wanted.map(({ manifest: { kind, metadata } }) => `${kind} ${metadata.name}`))
  const kinds = unique(wanted.map(resourceName))
  const commands = unique(wanted.map(({ resource }) => grantCommand(resource.role)))
  return notReady(
    FORBIDDEN,
    `${enumerate(names)} can't be created: ${BEFORE_KINDS}${enumerate(kinds)}${AFTER_KINDS}Ask the platform team to grant it: ${commands.join(' && ')}. The function tries again within ten minutes. The rest of the claim does not wait for it.`,
  )
}

const unique = (texts: readonly string[]) => [...new Set(texts)]

const enumerate = (texts: readonly string[]) => [...texts.slice(0, -2), texts.slice(-2).join(' and ')].join(', ')
