import type { Json } from '../kubernetes/json.ts'

/** `added`: by the platform; `unsaid`: a claim has no word for it. */
export type Verdict = 'same' | 'added' | 'different' | 'unsaid'

export interface Row {
  /** Kind and name of what was given, or of what the platform makes. */
  readonly object: string
  /** Variables, volumes and ports go by their name. Empty for the whole object. */
  readonly path: string
  readonly verdict: Verdict
  readonly was?: Json
  readonly is?: Json
  readonly because?: string
}
