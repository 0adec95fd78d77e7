import type { RunFunctionRequest, RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { parseClaim } from '../claim/parse.ts'
import { parsePlatform } from '../claim/platform.ts'
import { compose } from '../compose.ts'
import { refusal, refused } from '../status.ts'
import { read } from './request.ts'
import { accept, refuse } from './response.ts'

/** One RunFunction call, without I/O. */
export function runFunction(request: RunFunctionRequest): RunFunctionResponse {
  const question = read(request)
  if (question === undefined) return refuse(request, {}, refused('InvalidClaim', 'the request has no observed composite resource'))
  const { composite, observed, input, neighbours } = question
  const platform = parsePlatform(input)
  if (!platform.ok)
    return refuse(
      request,
      composite,
      refused('InvalidInput', `the input of the function in the Composition is invalid: ${refusal(platform.findings)}`),
    )
  const parsed = parseClaim(composite, platform.platform)
  if (!parsed.ok) return refuse(request, composite, refused('InvalidClaim', refusal(parsed.findings)))
  return accept(request, composite, compose(parsed.claim, platform.platform, observed, neighbours))
}
