import { performance } from 'node:perf_hooks'
import type { RunFunctionRequest } from '@crossplane-org/function-sdk-typescript'
import {
  type handleUnaryCall,
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js'
import { at } from '../kubernetes/json.ts'
import { type EncodedAnswer, type Handler, handle } from './handler.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { decodeRequest, decodeRequestWithOwners } from './wire/decode.ts'

/** Crossplane calls v1 and falls back to v1beta1. The messages are the same. */
export const serviceNames = [
  'apiextensions.fn.proto.v1.FunctionRunnerService',
  'apiextensions.fn.proto.v1beta1.FunctionRunnerService',
] as const

const LONGEST_FIELD = 253

const asIs = (bytes: Buffer) => bytes

export const runnerDefinition = (service: (typeof serviceNames)[number]) => ({
  runFunction: {
    path: `/${service}/RunFunction`,
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
})

const shortText = (value: unknown) => (typeof value === 'string' ? value.slice(0, LONGEST_FIELD) : undefined)

/** The caller, without the content of the request. */
function callerOf({ meta, observed }: RunFunctionRequest) {
  const composite = observed?.composite?.resource
  const claim = at(composite, 'spec', 'claimRef') ?? at(composite, 'metadata')
  return { tag: shortText(meta?.tag), namespace: shortText(at(claim, 'namespace')), name: shortText(at(claim, 'name')) }
}

function logCall(log: Log, request: RunFunctionRequest, { result, failure }: EncodedAnswer, durationMs: number): void {
  if (result === 'ok' && !log.debugging) return
  const fields = { ...callerOf(request), result, durationMs }
  if (failure !== undefined) log.error('call failed', { ...fields, id: failure.id, error: failure.name, at: failure.frames })
  else if (result === 'refused') log.info('call refused', fields)
  else log.debug('call answered', fields)
}

/** Takes and returns bytes, so that a request that cannot be decoded still gets an answer. */
export function createRunner(handler: Handler, metrics: Metrics, log: Log): { runFunction: handleUnaryCall<Buffer, Buffer> } {
  return {
    runFunction: ({ request: bytes }, respond) => {
      const startMs = performance.now()
      let request: RunFunctionRequest
      try {
        request = decodeRequest(bytes)
      } catch (error) {
        return respond({ code: status.INTERNAL, details: `the request can't be decoded: ${error instanceof Error ? error.message : ''}` })
      }
      const answered = handle(handler, request, () => decodeRequestWithOwners(bytes))
      const durationMs = performance.now() - startMs
      metrics.calls.inc({ result: answered.result })
      metrics.duration.observe(durationMs / 1000)
      logCall(log, request, answered, durationMs)
      respond(null, answered.bytes)
    },
  }
}

/**
 * Counts open calls, and counts a call that never reaches the handler as an error: grpc-js itself rejects
 * a request that is too large, and the client may cancel.
 */
export function createCallCounter(metrics: Metrics, log: Log): ServerInterceptor {
  return ({ path }, call) => {
    if (!path.endsWith('/RunFunction')) return new ServerInterceptingCall(call)
    let answered = false
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        metrics.inFlight.inc()
        next(metadata)
      })
      .withOnCancel(() => {
        metrics.inFlight.dec()
        if (answered) return
        metrics.calls.inc({ result: 'error' })
        log.info('call ended without an answer: request too large or invalid, or cancelled by the client', { peer: call.getPeer() })
      })
      .build()
    const responder = new ResponderBuilder()
      .withStart(next => next(listener))
      .withSendMessage((message, next) => {
        answered = true
        next(message)
      })
      .build()
    return new ServerInterceptingCall(call, responder)
  }
}
