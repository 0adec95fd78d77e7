import type { Capability } from '../../capabilities/capability.ts'
import { capabilities, findKind } from '../../capabilities/index.ts'
import { type JsonObject, textOf } from '../../kubernetes/json.ts'

/** A few words on what one would open a manifest for; nothing for a kind that has nothing to say. */
export function factsOf(manifest: JsonObject, all: readonly Capability[] = capabilities): string {
  const { apiVersion, kind } = manifest
  const info = findKind(
    { apiVersion: textOf(apiVersion), kind: textOf(kind) },
    all.flatMap(({ kinds }) => kinds),
  )
  return info?.summarize?.(manifest).filter(Boolean).join(', ') ?? ''
}
