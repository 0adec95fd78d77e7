import type { JsonObject } from '../kubernetes/json.ts'

/** What Crossplane answered when it was asked for names and kinds. */
export interface ClusterLookup {
  /** Whether Crossplane can be asked. */
  readonly canAsk: boolean
  /** Whether it can be asked which kinds the cluster knows, too. */
  readonly canAskKinds: boolean
  /** The answers by the key of a resource; undefined if nothing has the name. A key that is missing was not asked yet. */
  readonly existing: Readonly<Record<string, JsonObject | undefined>>
  /** Whether the cluster knows a kind, by its `kindKey`. One that is missing was not asked for yet. */
  readonly kinds: Readonly<Record<string, boolean>>
  readonly composite: JsonObject
  /** Whether the claim may take over what it finds. */
  readonly adopt: boolean
}

/** Nobody can be asked, as on the command line, so every name counts as free. */
export const noLookup: ClusterLookup = { canAsk: false, canAskKinds: false, existing: {}, kinds: {}, composite: {}, adopt: false }
