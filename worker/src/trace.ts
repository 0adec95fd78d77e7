// https://www.w3.org/TR/trace-context
import { randomBytes } from 'node:crypto'
import type { CloudEvent } from './cloudevents/event.ts'
import type { Incoming } from './run.ts'

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/

export interface Trace {
  readonly traceId: string
  /** To pass on: the trace of the event, with a span of our own as the parent. */
  readonly traceparent: string
  /** Sends an event with the headers that continue the trace. */
  readonly publish: <T>(
    subject: string,
    event: CloudEvent,
    send: (headers: Iterable<readonly [string, string]>) => Promise<T>,
  ) => Promise<T>
}

/** The fields of a trace in the headers, or else in the extensions of the event. Never of both, because they belong together. */
export const traceFields = (event: CloudEvent, incoming: Incoming): ((name: string) => string | undefined) =>
  incoming.header('traceparent') === undefined ? name => event.extensions[name] : name => incoming.header(name)

/** Continues the trace of the header, or starts one. */
export function continueTrace(header: string | undefined): Trace {
  const [, version, parentTrace, parentSpan, parentFlags] = TRACEPARENT.exec(header ?? '') ?? []
  const isValid = version !== undefined && version !== 'ff' && !/^0+$/.test(parentTrace ?? '0') && !/^0+$/.test(parentSpan ?? '0')
  const traceId = isValid && parentTrace !== undefined ? parentTrace : randomBytes(16).toString('hex')
  const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-${isValid ? parentFlags : '00'}`
  return { traceId, traceparent, publish: (_subject, _event, send) => send([['traceparent', traceparent]]) }
}
