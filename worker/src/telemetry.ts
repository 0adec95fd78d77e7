// Spans of OpenTelemetry, if the process has its SDK: the app starts it, or the OpenTelemetry operator injects it. package.json names an
// old version of the API, because each version refuses an SDK that is older.
import type { Attributes, Context } from '@opentelemetry/api'
import type { CloudEvent } from './cloudevents/event.ts'
import { reasonOf } from './errors.ts'
import type { Incoming, Outcome } from './run.ts'
import type { Trace } from './trace.ts'

type Api = typeof import('@opentelemetry/api')

/** The span of one event, from its start to its result. */
export interface EventSpan {
  readonly trace: Trace
  /** Makes the spans of what this does its children. */
  readonly within: <T>(work: () => T) => T
  readonly end: (outcome: Outcome) => void
}

export interface Telemetry {
  readonly start: (event: CloudEvent, incoming: Incoming) => EventSpan
}

/** Every copy of the API finds here what an SDK has registered. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')
const FIELDS = ['traceparent', 'tracestate', 'baggage']
const SAMPLED = 1

/** Undefined without an SDK. Only then the API is not loaded, because it takes 7 MB. */
export async function findTelemetry(): Promise<Telemetry | undefined> {
  const registered = (globalThis as { readonly [REGISTERED]?: { readonly trace?: unknown } })[REGISTERED]
  return registered?.trace === undefined ? undefined : createTelemetry(await import('@opentelemetry/api'))
}

function createTelemetry({ context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace }: Api): Telemetry {
  const tracer = trace.getTracer('@event-driven-service/worker')

  /** The span of an HTTP server if there is one, else what the sender wrote. */
  function parentOf(event: CloudEvent, incoming: Incoming): Context {
    const active = context.active()
    if (incoming.subject === undefined && trace.getSpan(active) !== undefined) return active
    return propagation.extract(ROOT_CONTEXT, undefined, {
      keys: () => FIELDS,
      get: (_, name) => incoming.header(name) ?? event.extensions[name],
    })
  }

  function traceOf(own: Context): Trace {
    const { traceId, spanId, traceFlags } = trace.getSpanContext(own) ?? { traceId: '', spanId: '', traceFlags: 0 }
    return {
      traceId,
      traceparent: `00-${traceId}-${spanId}-0${traceFlags & SAMPLED}`,
      produce: async (subject, event, send) => {
        const active = context.active()
        const parent = trace.getSpan(active) === undefined ? own : active
        const span = tracer.startSpan(
          `publish ${event.type}`,
          { kind: SpanKind.PRODUCER, attributes: { ...messaging('publish', subject), ...cloudEvent(event) } },
          parent,
        )
        const fields: [string, string][] = []
        propagation.inject(trace.setSpan(parent, span), fields, { set: (_, name, value) => fields.push([name, value]) })
        try {
          return await send(fields)
        } catch (error) {
          span.setAttribute('error.type', nameOf(error)).setStatus({ code: SpanStatusCode.ERROR, message: reasonOf(error) })
          throw error
        } finally {
          span.end()
        }
      },
    }
  }

  return {
    start: (event, incoming) => {
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
        trace: traceOf(own),
        within: work => context.with(own, work),
        end: outcome => {
          span.setAttribute('worker.result', outcome.result)
          if (outcome.result === 'failed') {
            span
              .setAttribute('error.type', nameOf(outcome.error))
              .setStatus({ code: SpanStatusCode.ERROR, message: reasonOf(outcome.error) })
            if (outcome.error instanceof Error) span.recordException(outcome.error)
          } else if (outcome.result === 'rejected' || outcome.result === 'abandoned')
            span.setAttribute('error.type', outcome.result).setStatus({ code: SpanStatusCode.ERROR, message: outcome.reason })
          span.end()
        },
      }
    },
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '_OTHER')

// https://opentelemetry.io/docs/specs/semconv/messaging/ and …/cloudevents/. The names of spans have the event's type and not the subject,
// which may contain the ID of an order.

const messaging = (operation: string, subject: string): Attributes => ({
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
