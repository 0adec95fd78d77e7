import type { RunFunctionRequest, RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { claimDocument, identify } from '../claim/identity.ts'
import { KIND, parseClaim } from '../claim/parse.ts'
import { parsePlatform } from '../claim/platform.ts'
import { compose } from '../compose.ts'
import type { Json, JsonObject } from '../json.ts'
import { refusal, refused } from '../status.ts'
import { remembered } from './remembered.ts'
import { read } from './request.ts'
import { accept, refuse } from './response.ts'

// Crossplane asks for every claim again and again, mostly as the status of something moved on: ten thousand claims
// of usual size are in these many characters.
const MOST_CHARACTERS = 8 * 1024 * 1024

const platformOf = remembered(({ input }: { readonly input: Json | undefined }) => parsePlatform(input), MOST_CHARACTERS)

/** The claim and the platform. */
const settled = remembered(({ document, input }: { readonly document: JsonObject; readonly input: Json | undefined }) => {
  const platform = platformOf({ input })
  if (!platform.ok) return refused('InvalidInput', `the input of the function in the Composition is invalid: ${refusal(platform.findings)}`)
  const parsed = parseClaim(document, platform.platform)
  return parsed.ok ? { claim: parsed.claim, platform: platform.platform } : refused('InvalidClaim', refusal(parsed.findings))
}, MOST_CHARACTERS)

/** One RunFunction call, without I/O. */
export function runFunction(request: RunFunctionRequest): RunFunctionResponse {
  const question = read(request)
  if (question === undefined) return refuse(request, {}, refused('InvalidClaim', 'the request has no observed composite resource'))
  const { composite, observed, input, neighbours } = question
  const answer = settled({ document: claimDocument(composite, identify(composite), KIND), input })
  if (!('claim' in answer)) return refuse(request, composite, answer)
  return accept(request, composite, compose(answer.claim, answer.platform, observed, neighbours))
}
