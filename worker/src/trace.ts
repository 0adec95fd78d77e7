// https://www.w3.org/TR/trace-context
import { randomBytes } from 'node:crypto'
import type { CloudEvent } from './cloudevents/event.ts'

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/

export interface Trace {
  readonly traceId: string
  /** To pass on: the trace of the event, with a span of our own as the parent. */
  readonly traceparent: string
  /** Sends an event with the headers that continue the trace. */
  readonly produce: <T>(
    subject: string,
    event: CloudEvent,
    send: (headers: Iterable<readonly [string, string]>) => Promise<T>,
  ) => Promise<T>
}

/** Continues the trace of the header, or starts one. */
export function continueTrace(header: string | undefined): Trace {
  const [, version, parentTrace, parentSpan, parentFlags] = TRACEPARENT.exec(header ?? '') ?? []
  const isValid = version !== undefined && version !== 'ff' && !/^0+$/.test(parentTrace ?? '0') && !/^0+$/.test(parentSpan ?? '0')
  const traceId = isValid && parentTrace !== undefined ? parentTrace : randomBytes(16).toString('hex')
  const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-${isValid ? parentFlags : '00'}`
  return { traceId, traceparent, produce: (_subject, _event, send) => send([['traceparent', traceparent]]) }
}
