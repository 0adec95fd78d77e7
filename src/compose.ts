import type { Claim } from './claim/claim.ts'
import type { Platform } from './claim/platform.ts'
import type { JsonObject } from './json.ts'
import { resourcesOf } from './resources/index.ts'
import { condition, notReady } from './resources/parts.ts'
import type { Concern, Manifest, Readiness } from './resources/resource.ts'
import { type Condition, conditionsOf } from './status.ts'
import { unwrap, wrap } from './wrap.ts'

/** Observed resources by their key. */
export type Observed = Readonly<Record<string, JsonObject>>

export interface Composed {
  readonly key: string
  readonly concern: Concern
  /** The Kubernetes object that the claim asks for. */
  readonly manifest: Manifest
  /** What Crossplane is told to make: the manifest, or the Object that carries it. */
  readonly desired: JsonObject
  readonly readiness: Readiness
}

export interface Composition {
  readonly resources: readonly Composed[]
  readonly conditions: readonly Condition[]
  readonly status: JsonObject
}

/** What a claim becomes, given what is there already. */
export function compose(claim: Claim, platform: Platform, observed: Observed): Composition {
  const wrapped = platform.composeAs === 'ProviderKubernetes'
  const resources: Composed[] = []
  const status: Record<string, JsonObject[string]> = {}
  for (const resource of resourcesOf(claim)) {
    const { key, concern } = resource
    const outer = Object.hasOwn(observed, key) ? observed[key] : undefined
    const inner = outer && wrapped ? unwrap(outer) : outer
    // The provider's three-way merge would take a count back that was said once, so wrapped it is never said.
    const manifest = resource.build(claim, outer === undefined && !wrapped)
    if (manifest === undefined) continue
    const desired = wrapped ? wrap(manifest, resource, platform) : manifest
    resources.push({ key, concern, manifest, desired, readiness: inner ? resource.ready(inner, claim) : absent(manifest, outer) })
    Object.assign(status, resource.status?.(inner, claim))
  }
  return { resources, conditions: conditionsOf(resources), status }
}

function absent({ kind, metadata }: Manifest, outer: JsonObject | undefined): Readiness {
  const synced = outer && condition(outer, 'Synced')
  if (synced?.status === 'False')
    return notReady(synced.reason || 'NotSynced', `provider-kubernetes can't make ${kind} ${metadata.name}: ${synced.message}`)
  return notReady(
    'Creating',
    `${kind} ${metadata.name} is not there yet; if this stays, the events of the composite resource say why Crossplane can't make it.`,
  )
}
