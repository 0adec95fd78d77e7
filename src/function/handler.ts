import { createHash } from 'node:crypto'
import { type RunFunctionRequest, type RunFunctionResponse, Severity } from '@crossplane-org/function-sdk-typescript'
import type { CallResult } from './metrics.ts'
import { isRefusal } from './response.ts'
import { encodeResponse } from './wire/encode.ts'

/** Answers a request; the second argument decodes it again with the owners of all fields. */
export type Handler = (request: RunFunctionRequest, withOwners: () => RunFunctionRequest) => RunFunctionResponse

export interface Failure {
  readonly id: string
  readonly name: string
  readonly frames: readonly string[]
}

export interface EncodedAnswer {
  readonly bytes: Buffer
  readonly result: CallResult
  readonly failure?: Failure
}

const FRAMES = 6
const ID_LENGTH = 8

/**
 * The stack frames of an error without its message, which may quote the claim and so the value of a variable.
 * The id is a hash of the frames, so the same error always has the same id, and the same request the same answer.
 */
function failureOf(error: unknown): Failure {
  const { name, stack, message } = error instanceof Error ? error : { name: typeof error, stack: '', message: '' }
  const frames = (stack ?? '')
    .replace(message, '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line.startsWith('at '))
    .slice(0, FRAMES)
  const id = createHash('sha256')
    .update([name, ...frames].join('\n'))
    .digest('hex')
    .slice(0, ID_LENGTH)
  return { id, name, frames }
}

function failedAnswer(request: RunFunctionRequest, error: unknown): EncodedAnswer {
  const failure = failureOf(error)
  const message = `internal error ${failure.id}: the function failed on this request and composed nothing. Search the log of the function for this id`
  const response = {
    meta: { tag: request.meta?.tag ?? '' },
    desired: undefined,
    results: [{ severity: Severity.SEVERITY_FATAL, message }],
    requirements: undefined,
    conditions: [],
  }
  return { bytes: encodeResponse(response), result: 'error', failure }
}

/** Always answers in bytes: an error in the handler or the encoder becomes a fatal result. */
export function handle(handler: Handler, request: RunFunctionRequest, withOwners: () => RunFunctionRequest): EncodedAnswer {
  try {
    const response = handler(request, withOwners)
    return { bytes: encodeResponse(response), result: isRefusal(response) ? 'refused' : 'ok' }
  } catch (error) {
    return failedAnswer(request, error)
  }
}
