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
  /** Kinds that only have to be read, and were. */
  readonly usable: readonly string[]
  /** Kinds that the call asks for, itself or by name. */
  readonly asks: readonly string[]
  /** The kinds of the composed objects that exist. */
  readonly observed: () => readonly string[]
}

export type ForbiddenKinds = ReturnType<typeof createForbiddenKinds>

/** Has one claim ask again for each kind, every ten minutes. Once its object exists, all other claims follow. */
export function createForbiddenKinds(now: () => number = Date.now) {
  const access = new Map<string, boolean>()
  /** When to ask again for a forbidden kind. */
  const due = new Map<string, number>()
  /** The claim that asks for a kind. */
  const askers = new Map<string, string>()

  const setForbidden = (kind: string, next: number) => {
    access.set(kind, false)
    due.set(kind, next)
  }

  const setAllowed = (kind: string) => {
    access.set(kind, true)
    due.delete(kind)
    // Roles are often granted together.
    for (const other of due.keys()) if (!askers.has(other)) due.set(other, now())
  }

  return {
    access: access as ReadonlyMap<string, boolean>,
    /** Learns from a call, and returns the kind that its claim has to ask for again. */
    learn({ claim, forbidden, read, usable, asks, observed }: Evidence): string | undefined {
      for (const kind of read) if (!access.has(kind)) access.set(kind, true)
      for (const kind of usable) {
        askers.delete(kind)
        if (access.get(kind) !== true) setAllowed(kind)
      }
      const asked = [...askers.keys()].find(kind => askers.get(kind) === claim)
      if (asked !== undefined && observed().includes(asked)) {
        askers.delete(asked)
        setAllowed(asked)
      }
      const from = (source: ForbiddenKind['source']) => forbidden.filter(one => one.source === source).map(({ kind }) => kind)
      const reported = from('reported')
      if (reported.length > 0) {
        for (const kind of reported) setForbidden(kind, now() + RETRY_MS)
        if (asked !== undefined) askers.delete(asked)
        return undefined
      }
      const remembered = from('remembered')
      for (const kind of remembered) if (!access.has(kind)) setForbidden(kind, now())
      // Crossplane calls again with the answer. Without it the question failed, and Crossplane told another process.
      if (asked !== undefined && asks.includes(asked)) return undefined
      if (asked !== undefined) askers.delete(asked)
      const dueAt = (kind: string) => due.get(kind) ?? 0
      const [next] = remembered.filter(kind => dueAt(kind) <= now()).sort((a, b) => dueAt(a) - dueAt(b))
      if (next === undefined) return undefined
      askers.set(next, claim)
      due.set(next, now() + RETRY_MS)
      return next
    },
  }
}
