// What this process knows of Crossplane's permissions, so that each claim does not have to find out by itself: a question about a
// kind that Crossplane may not read blocks a claim for two minutes. docs/adr/0015-leave-out-forbidden-kinds.md
import type { ForbiddenKind } from '../reconcile/creation-gate.ts'

const RETRY_MS = 10 * 60_000

/** What one call shows. */
export interface Evidence {
  /** The uid of the composite. */
  readonly claim: string
  /** What the call leaves out. */
  readonly forbidden: readonly ForbiddenKind[]
  /** Kinds that Crossplane has read for this call. */
  readonly read: readonly string[]
  /** The kinds of the composed objects that exist. */
  readonly observed: () => readonly string[]
}

export type ForbiddenKinds = ReturnType<typeof createForbiddenKinds>

/** Has one claim ask again every ten minutes; once its object exists, all other claims follow. */
export function createForbiddenKinds(now: () => number = Date.now) {
  const access = new Map<string, boolean>()
  let retry: { readonly claim: string; readonly kind: string } | undefined
  let nextRetry = 0

  const endRetry = (next: number) => {
    retry = undefined
    nextRetry = next
  }

  const setForbidden = (kind: string) => {
    // At the end, so that the kind that was refused first is asked for first.
    access.delete(kind)
    access.set(kind, false)
  }

  return {
    access: access as ReadonlyMap<string, boolean>,
    /** Learns from a call, and returns the kind that its claim has to ask for again. */
    learn({ claim, forbidden, read, observed }: Evidence): string | undefined {
      for (const kind of read) if (!access.has(kind)) access.set(kind, true)
      if (retry?.claim === claim && observed().includes(retry.kind)) {
        access.set(retry.kind, true)
        endRetry(0)
      }
      const from = (source: ForbiddenKind['source']) => forbidden.filter(one => one.source === source).map(({ kind }) => kind)
      const reported = from('reported')
      for (const kind of reported) setForbidden(kind)
      if (reported.length > 0) {
        // Another claim may still be asking.
        if (retry === undefined || retry.claim === claim) endRetry(now() + RETRY_MS)
        return undefined
      }
      const remembered = from('remembered')
      for (const kind of remembered) if (!access.has(kind)) setForbidden(kind)
      if (now() >= nextRetry) {
        const kind = [...access.keys()].find(kind => remembered.includes(kind))
        if (kind === undefined) return undefined
        retry = { claim, kind }
        nextRetry = now() + RETRY_MS
      }
      return retry?.claim === claim && remembered.includes(retry.kind) ? retry.kind : undefined
    },
  }
}
