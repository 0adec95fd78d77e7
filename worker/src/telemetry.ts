// Spans of OpenTelemetry, if the process has its SDK: the app starts it, or the OpenTelemetry operator injects it.
//
// package.json does not name the newest version of the API, because a version refuses the SDKs of older ones.
import type { Attributes, Context, Span } from '@opentelemetry/api'
import type { CloudEvent } from './cloudevents/event.ts'
import { reasonOf } from './errors.ts'
import type { Log } from './log.ts'
import type { Incoming, Outcome } from './run.ts'
import { type Trace, traceFields } from './trace.ts'

type Api = typeof import('@opentelemetry/api')

/** The span of one event, from its start to its result. */
export interface EventSpan {
  readonly trace: Trace
  /** Makes the spans of what this does its children. */
  readonly within: <T>(work: () => T) => T
  readonly end: (outcome: Outcome) => void
}

export interface Telemetry {
  /** Undefined if the SDK throws, which must not fail the event. */
  readonly start: (event: CloudEvent, incoming: Incoming) => EventSpan | undefined
  /** Sends the spans that wait for the next export. */
  readonly flush: () => Promise<void>
}

/** Every copy of the API finds here what an SDK has registered. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')
const FIELDS = ['traceparent', 'tracestate', 'baggage']
const SAMPLED = 1

/** Undefined without an SDK that the API accepts. The API is loaded only with an SDK, because it takes 7 MB. */
export async function findTelemetry(log: Log): Promise<Telemetry | undefined> {
  const { trace: registered } = (globalThis as { readonly [REGISTERED]?: { readonly trace?: unknown } })[REGISTERED] ?? {}
  if (registered === undefined) return undefined
  const api = await import('@opentelemetry/api')
  if (api.trace.getTracerProvider() === registered) return createTelemetry(api, log)
  log.warn('no spans: the SDK of OpenTelemetry is older than its API that the worker uses')
  return undefined
}

function createTelemetry({ context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace }: Api, log: Log): Telemetry {
  const tracer = trace.getTracer('@event-driven-service/worker')
  /** Requests inherit the context in which the server began to listen. */
  const starting = trace.getSpan(context.active())
  let isReported = false

  function safely<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!isReported) log.warn('OpenTelemetry fails', { error })
      isReported = true
      return undefined
    }
  }

  function endWith(span: Span | undefined, failure?: { readonly type: string; readonly message: string; readonly error?: unknown }): void {
    safely(() => {
      if (failure?.error instanceof Error) span?.recordException(failure.error)
      if (failure !== undefined)
        span?.setAttribute('error.type', failure.type).setStatus({ code: SpanStatusCode.ERROR, message: failure.message })
      span?.end()
    })
  }

  /** The span of an HTTP server if there is one, else what the sender wrote. */
  function parentOf(event: CloudEvent, incoming: Incoming): Context {
    const active = context.active()
    const span = trace.getSpan(active)
    if (incoming.subject === undefined && span !== undefined && span !== starting) return active
    const field = traceFields(event, incoming)
    return propagation.extract(ROOT_CONTEXT, undefined, { keys: () => FIELDS, get: (_, name) => field(name) })
  }

  function begin(event: CloudEvent, incoming: Incoming): EventSpan {
    const { attempt, subject, consumer } = incoming
    const attributes = {
      ...(subject !== undefined && messaging('process', subject)),
      ...(consumer !== undefined && { 'messaging.consumer.group.name': consumer }),
      ...(attempt > 1 && { 'messaging.nats.message.delivery_count': attempt }),
      ...cloudEvent(event),
    }
    const parent = parentOf(event, incoming)
    const span = tracer.startSpan(`process ${event.type}`, { kind: SpanKind.CONSUMER, attributes }, parent)
    const own = trace.setSpan(parent, span)
    return {
      trace: traceOf(span, own),
      within: work => context.with(own, work),
      end: outcome => {
        safely(() => span.setAttribute('worker.result', outcome.result))
        endWith(span, failureOf(outcome))
      },
    }
  }

  function traceOf(handling: Span, own: Context): Trace {
    const { traceId, spanId, traceFlags } = handling.spanContext()
    return {
      traceId,
      traceparent: `00-${traceId}-${spanId}-0${traceFlags & SAMPLED}`,
      publish: async (subject, event, send) => {
        const active = context.active()
        const parent = trace.getSpan(active) === undefined ? own : active
        const attributes = { ...messaging('publish', subject), ...cloudEvent(event) }
        const span = safely(() => tracer.startSpan(`publish ${event.type}`, { kind: SpanKind.PRODUCER, attributes }, parent))
        const headers = new Map<string, string>()
        const from = span === undefined ? parent : trace.setSpan(parent, span)
        safely(() => propagation.inject(from, headers, { set: (carrier, name, value) => void carrier.set(name, value) }))
        try {
          const sent = await send(headers)
          endWith(span)
          return sent
        } catch (error) {
          endWith(span, { type: nameOf(error), message: reasonOf(error) })
          throw error
        }
      },
    }
  }

  return {
    start: (event, incoming) => safely(() => begin(event, incoming)),
    flush: async () => {
      const provider = trace.getTracerProvider()
      const sdk: { readonly forceFlush?: () => Promise<void> } =
        'getDelegate' in provider && typeof provider.getDelegate === 'function' ? provider.getDelegate() : provider
      await sdk.forceFlush?.()
    },
  }
}

function failureOf(outcome: Outcome) {
  switch (outcome.result) {
    case 'handled':
    case 'duplicate':
      return undefined
    case 'failed':
      return { type: nameOf(outcome.error), message: reasonOf(outcome.error), error: outcome.error }
    case 'rejected':
    case 'abandoned':
      return { type: outcome.result, message: outcome.reason }
    default:
      return outcome satisfies never
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '_OTHER')

// https://opentelemetry.io/docs/specs/semconv/messaging/ and …/cloudevents/. The names of spans have the event's type and not the subject,
// which may contain the ID of an order.

const messaging = (operation: 'process' | 'publish', subject: string): Attributes => ({
  'messaging.system': 'nats',
  'messaging.operation.name': operation,
  'messaging.operation.type': operation === 'publish' ? 'send' : operation,
  'messaging.destination.name': subject,
})

const cloudEvent = ({ id, source, type, subject }: CloudEvent): Attributes => ({
  'cloudevents.event_id': id,
  'cloudevents.event_source': source,
  'cloudevents.event_spec_version': '1.0',
  'cloudevents.event_type': type,
  ...(subject !== undefined && { 'cloudevents.event_subject': subject }),
})
