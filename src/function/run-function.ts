import type { RunFunctionRequest, RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { claimDocument, identify } from '../claim/identity.ts'
import { KIND, parseClaim } from '../claim/parse.ts'
import type { Claim } from '../claim/resolved-claim.ts'
import type { Json, JsonObject } from '../kubernetes/json.ts'
import { type Platform, parsePlatform } from '../platform/platform.ts'
import { compose } from '../reconcile/compose.ts'
import { type Condition, refusal, refused } from '../reconcile/conditions.ts'
import { createMemory } from './cache.ts'
import { read } from './request.ts'
import { accept, refuse, refuseAll } from './response.ts'

// Crossplane asks for every claim again and again, mostly as the status of something moved on. In half of it there is room
// for ten thousand claims of usual size, so that none of so many is ever forgotten before its turn comes again.
const MOST_CHARACTERS = 16 * 1024 * 1024

type Settled = { readonly claim: Claim; readonly platform: Platform } | Condition

const claims = createMemory<Settled>(MOST_CHARACTERS)
const platforms = createMemory<ReturnType<typeof parsePlatform> & { readonly number: number }>(MOST_CHARACTERS)
let platformCount = 0

/** The claim and the platform, or what is wrong with one of them. */
function settle(document: JsonObject, input: Json | undefined): Settled {
  const parsed = platforms(input, () => ({ ...parsePlatform(input), number: platformCount++ }))
  if (!parsed.ok) return refused('InvalidInput', `the input of the function in the Composition is invalid: ${refusal(parsed.findings)}`)
  const { platform, number } = parsed
  return claims({ document, number }, () => {
    const parsed = parseClaim(document, platform)
    return parsed.ok ? { claim: parsed.claim, platform } : refused('InvalidClaim', refusal(parsed.findings))
  })
}

/** One RunFunction call, without I/O. A refusal asks for the request with the owners of the observed fields. */
export function runFunction(request: RunFunctionRequest, withOwners: () => RunFunctionRequest = () => request): RunFunctionResponse {
  const question = read(request)
  if (question === undefined) return refuseAll(request, {}, refused('InvalidClaim', 'the request has no observed composite resource'))
  const { composite, observed, input, neighbours } = question
  const answer = settle(claimDocument(composite, identify(composite), KIND), input)
  if (!('claim' in answer)) return refuse(withOwners(), composite, answer)
  return accept(request, composite, compose(answer.claim, answer.platform, observed, neighbours))
}
