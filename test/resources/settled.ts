// A settled claim for tests of single resources.
import type { Claim } from '../../src/claim/claim.ts'
import { parseClaim } from '../../src/claim/parse.ts'
import { builtInPlatform } from '../../src/claim/platform.ts'
import type { JsonObject } from '../../src/json.ts'
import { refusal } from '../../src/status.ts'
import { claim } from '../claims.ts'

export function settled(spec: JsonObject = {}, metadata: JsonObject = {}): Claim {
  const parsed = parseClaim(claim(spec, metadata), builtInPlatform)
  if (!parsed.ok) throw new Error(refusal(parsed.findings))
  return parsed.claim
}

export type Said = readonly [type: string, status: string, reason?: string, message?: string]

/** The conditions of an observed object. */
export const conditions = (...said: Said[]) => said.map(([type, status, reason = '', message = '']) => ({ type, status, reason, message }))
