// The five metrics of a worker, in the text format of Prometheus.
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600, 3600] as const
/** Senders choose the types of events, so their number has a limit. */
const MAX_TYPES = 100

export type Result = 'handled' | 'duplicate' | 'failed' | 'rejected' | 'abandoned'

export interface Metrics {
  readonly count: (type: string, result: Result, seconds: number) => void
  readonly redelivered: () => void
  readonly deadLettered: () => void
  readonly write: (inFlight: number) => string
}

export function createMetrics(): Metrics {
  const handled = new Map<string, Map<Result, number>>()
  const buckets = BUCKETS.map(() => 0)
  let [seconds, calls, redelivered, deadLettered] = [0, 0, 0, 0]
  return {
    count: (type, result, duration) => {
      const name = handled.has(type) || handled.size < MAX_TYPES ? type : 'other'
      const results = handled.get(name) ?? new Map<Result, number>()
      handled.set(name, results)
      results.set(result, (results.get(result) ?? 0) + 1)
      seconds += duration
      calls += 1
      BUCKETS.forEach((bound, index) => {
        if (duration <= bound) buckets[index] = (buckets[index] ?? 0) + 1
      })
    },
    redelivered: () => {
      redelivered += 1
    },
    deadLettered: () => {
      deadLettered += 1
    },
    write: inFlight => {
      const lines = [
        ...head('worker_handled_total', 'counter', 'Events by type and result.'),
        ...[...handled].flatMap(([type, results]) =>
          [...results].map(([result, value]) => `worker_handled_total{type="${escaped(type)}",result="${result}"} ${value}`),
        ),
        ...head('worker_duration_seconds', 'histogram', 'Time from the start of an event to its result.'),
        ...BUCKETS.map((bound, index) => `worker_duration_seconds_bucket{le="${bound}"} ${buckets[index]}`),
        `worker_duration_seconds_bucket{le="+Inf"} ${calls}`,
        `worker_duration_seconds_sum ${seconds}`,
        `worker_duration_seconds_count ${calls}`,
        ...head('worker_in_flight', 'gauge', 'Events that a handler is working on.'),
        `worker_in_flight ${inFlight}`,
        ...head('worker_redelivered_total', 'counter', 'Deliveries of JetStream that were not the first.'),
        `worker_redelivered_total ${redelivered}`,
        ...head('worker_dead_lettered_total', 'counter', 'Messages published as dead letters.'),
        `worker_dead_lettered_total ${deadLettered}`,
      ]
      return `${lines.join('\n')}\n`
    },
  }
}

const head = (name: string, type: string, help: string) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]

const escaped = (label: string) => label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
