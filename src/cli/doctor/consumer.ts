// Compares a claim with its consumer: whether NATS redelivers messages in work, holds messages back, or never gives one up.
import type { Nats, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type Json } from '../../kubernetes/json.ts'
import { shell, shellQuote } from '../../text/shell-quote.ts'
import { showDuration } from '../print/duration.ts'
import { type Check, type Queue, unknown, well, wrong } from './check.ts'

/** The fields of a consumer that a claim depends on: https://docs.nats.io/nats-concepts/jetstream/consumers#configuration */
interface Consumer {
  readonly ackWaitSeconds: number
  /** With a backoff the server ignores ack_wait. */
  readonly backoffSeconds: readonly number[]
  /** Undefined if unlimited. */
  readonly maxAckPending: number | undefined
  /** Undefined if unlimited. */
  readonly maxDeliver: number | undefined
}

interface Difference {
  /** `unknown` if it is a problem only for some workers, because doctor does not know the program. */
  readonly state: 'wrong' | 'unknown'
  readonly message: string
  /** The flags of `nats consumer edit` that remove it. */
  readonly flags: readonly string[]
}

export const consumerRow = ({ namespace, name }: ResolvedClaim): string => `Consumer of ${namespace}/${name}`

/** `detail` is the consumer as the monitoring endpoint reports it. */
export const checkConsumer = (claim: ResolvedClaim, nats: Nats, detail: Json): Check => ({
  ...compareConsumer(claim, nats, detail),
  queue: readQueue(detail),
})

function readQueue(detail: Json): Queue {
  const [waiting, inFlight, redelivered] = (['num_pending', 'num_ack_pending', 'num_redelivered'] as const).map(field => {
    const count = at(detail, field)
    return typeof count === 'number' ? count : 0
  }) as [number, number, number]
  return { lag: waiting + inFlight, waiting, inFlight, redelivered }
}

function compareConsumer(claim: ResolvedClaim, { stream, consumer }: Nats, detail: Json): Check {
  const row = consumerRow(claim)
  const config = at(detail, 'config')
  if (config === undefined)
    return unknown(row, 'the NATS server does not report its configuration', shell`nats consumer info -- ${stream} ${consumer}`)
  if (at(config, 'ack_policy') === 'none') return well(row, 'ack_policy is none, so NATS neither redelivers messages nor holds them back')
  const settings = readConsumer(config)
  const differences = [...redelivery(claim, settings), ...starvation(claim, settings), ...endlessRetry(settings)]
  if (differences.length === 0) return well(row, summarize(settings))
  const message = differences.map(difference => difference.message).join('; ')
  const flags = differences.flatMap(difference => difference.flags)
  const edit = ['nats', 'consumer', 'edit', ...flags, '--', stream, consumer].map(shellQuote).join(' ')
  return differences.some(({ state }) => state === 'wrong') ? wrong(row, message, edit) : unknown(row, message, edit)
}

const NANOSECONDS = 1_000_000_000

/** NATS reports durations in nanoseconds, and no limit as -1. */
function readConsumer(config: Json): Consumer {
  const positive = (value: Json | undefined) => (typeof value === 'number' && value > 0 ? value : undefined)
  const seconds = (value: Json | undefined) => (positive(value) ?? 0) / NANOSECONDS
  return {
    ackWaitSeconds: seconds(at(config, 'ack_wait')),
    backoffSeconds: items(at(config, 'backoff')).map(seconds),
    maxAckPending: positive(at(config, 'max_ack_pending')),
    maxDeliver: positive(at(config, 'max_deliver')),
  }
}

const shortestWait = ({ ackWaitSeconds, backoffSeconds }: Consumer) =>
  backoffSeconds.length === 0 ? ackWaitSeconds : Math.min(...backoffSeconds)

/** Only the program knows whether it reports progress, so this may be as it should be. */
function redelivery({ processing }: ResolvedClaim, settings: Consumer): Difference[] {
  const longest = processing?.maxSeconds
  const wait = shortestWait(settings)
  if (longest === undefined || wait >= longest) return []
  const steps = settings.backoffSeconds.length
  const message = `${steps === 0 ? 'ack_wait' : 'the shortest backoff'} is ${showDuration(wait)}, but a message may take ${showDuration(longest)} (spec.processing.maxDuration): NATS delivers it again while a replica works on it, unless the worker reports progress more often`
  const backoff = [
    '--backoff=linear',
    `--backoff-steps=${steps}`,
    `--backoff-min=${showDuration(longest)}`,
    `--backoff-max=${showDuration(2 * longest)}`,
  ]
  return [{ state: 'unknown', message, flags: steps === 0 ? [`--wait=${showDuration(longest)}`] : backoff }]
}

function starvation({ scaling: { maxReplicas }, processing }: ResolvedClaim, { maxAckPending }: Consumer): Difference[] {
  const wanted = maxReplicas * (processing?.concurrency ?? 1)
  if (maxAckPending === undefined || maxAckPending >= wanted) return []
  const each = processing === undefined ? '' : ' × spec.processing.concurrency'
  const message = `max_ack_pending is ${maxAckPending}, but the replicas work on up to ${wanted} messages at once (spec.scaling.maxReplicas${each}): NATS holds the others back, so replicas stay idle. Raise it, or lower spec.scaling.maxReplicas`
  return [{ state: 'wrong', message, flags: [`--max-pending=${wanted}`] }]
}

/** An arbitrary number of attempts. */
const ATTEMPTS = 5

/** Only the program knows whether it gives a message up itself, so this may be as it should be. */
function endlessRetry({ maxDeliver, backoffSeconds }: Consumer): Difference[] {
  if (maxDeliver !== undefined) return []
  const message = 'max_deliver is -1: NATS delivers a message that always fails again for ever, unless the worker terminates it'
  // The server demands more attempts than a backoff has steps.
  return [{ state: 'unknown', message, flags: [`--max-deliver=${Math.max(ATTEMPTS, backoffSeconds.length + 1)}`] }]
}

function summarize(settings: Consumer): string {
  const pending = settings.maxAckPending === undefined ? '' : `, at most ${settings.maxAckPending} messages in work`
  return `redelivers after ${showDuration(shortestWait(settings))}, at most ${settings.maxDeliver} deliveries${pending}`
}
