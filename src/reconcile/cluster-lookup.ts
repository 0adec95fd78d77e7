import type { JsonObject } from '../kubernetes/json.ts'

/** What Crossplane answered when it was asked for names and kinds. */
export interface ClusterLookup {
  /** Whether Crossplane can be asked. */
  readonly canAsk: boolean
  /** Whether Crossplane can also be asked which kinds the cluster has. */
  readonly canAskKinds: boolean
  /** The answers by resource key; undefined if nothing has the name. A missing key was not asked yet. */
  readonly existing: Readonly<Record<string, JsonObject | undefined>>
  /** Whether the cluster has a kind, by its `kindKey`. A missing kind was not asked yet. */
  readonly kinds: Readonly<Record<string, boolean>>
  /**
   * By `kindKey`: true for a kind that Crossplane has read, false for one that it may not manage. A kind without an entry is
   * asked for last. Undefined if nobody keeps it.
   */
  readonly access?: ReadonlyMap<string, boolean>
  /** The pods that Crossplane found, by the key of the question. */
  readonly pods: Readonly<Record<string, readonly JsonObject[]>>
  readonly composite: JsonObject
  /** Whether the claim may adopt foreign objects. */
  readonly adopt: boolean
}

/** Nobody can be asked, as on the command line, so every name counts as free. */
export const noLookup: ClusterLookup = { canAsk: false, canAskKinds: false, existing: {}, kinds: {}, pods: {}, composite: {}, adopt: false }

/**
 * Whether the previous call of this reconcile asked for the resource or its kind. It may have been another process of the function,
 * which knows more about permissions; Crossplane gives up if the questions change back and forth.
 */
export const wasAsked = ({ existing, kinds }: ClusterLookup, key: string, kind: string): boolean =>
  Object.hasOwn(existing, key) || Object.hasOwn(kinds, kind)
