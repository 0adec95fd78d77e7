import { milliseconds } from '../claim/duration.ts'
import { printable } from '../text/printable.ts'
import { command } from './command.ts'
import { clusterOptions, withCluster } from './connect.ts'
import type { Api } from './doctor/api.ts'
import { type Check, well, wrong } from './doctor/check.ts'
import { type Named, readClaimName } from './doctor/claims.ts'
import { checkPackages } from './doctor/packages.ts'
import { printTable } from './doctor/print.ts'
import type { Io } from './io.ts'
import { showDuration } from './print/duration.ts'
import { fail } from './stderr.ts'
import { type Goal, goals, type Look, look } from './wait/goals.ts'
import { investigate, show } from './why/investigate.ts'

const POLL_MS = 2_000
const TIMEOUT = '5m'

export const wait = command({
  name: 'wait',
  summary: 'Wait until a claim is ready, drained or scaled to zero, for example in a pipeline.',
  operands: 'NAMESPACE/NAME|NAME',
  details:
    'ready: Crossplane has reconciled the latest spec, every condition is True, the rollout is complete, and every pod is ready\n' +
    'and runs the image of the claim. drained: no message of the NATS consumer waits or is unacknowledged. scaled-to-zero: no\n' +
    'pod is left. Asks the cluster every 2 seconds. Standard error shows the progress, standard output the result; on failure\n' +
    'also the first cause, as eds why does. Ends at once if waiting is useless: the claim is missing, refused, paused or being\n' +
    'deleted, has no consumer, or keeps a minimum of pods.\n' +
    'Exit codes: 0 reached, 1 not reached, 2 could not run, for example because the cluster is unreachable.',
  examples: [
    'kubectl apply -f claim.yaml && eds wait shop/orders-worker --timeout 10m',
    'eds wait shop/orders-worker --for drained',
    'eds wait orders-worker -n shop --for scaled-to-zero',
  ],
  options: {
    for: { type: 'string', choices: goals, description: 'the state to wait for; default: ready' },
    timeout: { type: 'string', value: 'DURATION', description: `how long to wait, such as 90s or 1h30m; default: ${TIMEOUT}` },
    ...clusterOptions,
  },
  run: ({ values, operands }, io) =>
    withCluster('wait', values, async ({ api, check, namespace }) => {
      const named = readClaimName('wait', operands, namespace)
      const timeoutMs = readTimeout(values.timeout ?? TIMEOUT)
      const goal = values.for ?? 'ready'
      await check()
      const { waitedMs, ...result } = await waitFor(api, named, goal, { timeoutMs, io })
      const waited = showDuration(Math.round(waitedMs / 1000))
      const state = goal.replaceAll('-', ' ')
      if (result.state === 'done') {
        io.stdout.write(printTable([well(show(named), `${state} after ${waited}: ${result.says}`)], io.stdout))
        return 0
      }
      const problem = result.state === 'never' ? `will not be ${state}: ${result.says}` : `not ${state} after ${waited}: ${result.says}`
      io.stdout.write(printTable(await withCause(api, named, problem, result.says), io.stdout))
      return 1
    }),
})

const DURATION = /^(?:[0-9]{1,6}(?:ms|h|m|s))+$/

function readTimeout(text: string): number {
  return DURATION.test(text) ? milliseconds(text) : fail('eds wait', `--timeout must be a duration such as 90s, 5m or 1h30m, got '${text}'`)
}

interface Waiting {
  readonly timeoutMs: number
  readonly io: Io
}

async function waitFor(api: Api, named: Named, goal: Goal, { timeoutMs, io }: Waiting): Promise<Look & { readonly waitedMs: number }> {
  const { clock } = io
  const progress = createProgress(io)
  const { platformOf } = await checkPackages(api)
  const began = clock.now()
  for (;;) {
    const found = await look(api, named, goal, platformOf)
    const waitedMs = clock.now() - began
    if (found.state !== 'pending' || waitedMs >= timeoutMs) {
      progress.clear()
      return { ...found, waitedMs }
    }
    progress.show(found.says, waitedMs)
    await clock.delay(Math.min(POLL_MS, timeoutMs - waitedMs))
  }
}

/** One line that changes on a terminal; elsewhere a line for each change. */
function createProgress({ stderr }: Io): { readonly show: (says: string, waitedMs: number) => void; readonly clear: () => void } {
  const ERASE = '\r\u001B[K'
  let before: string | undefined
  return {
    show(says, waitedMs) {
      const time = showDuration(Math.round(waitedMs / 1000))
      if (stderr.isTerminal) stderr.write(ERASE + printable(`${time}  ${says}`).slice(0, stderr.width - 1))
      else if (says !== before) stderr.write(`${printable(`${time}  ${says}`)}\n`)
      before = says
    },
    clear: () => void (stderr.isTerminal && before !== undefined && stderr.write(ERASE)),
  }
}

/** The problem; below it the first cause, unless that is the problem itself. */
async function withCause(api: Api, named: Named, problem: string, says: string): Promise<Check[]> {
  const { verdict } = await investigate(api, named, { logs: false })
  const row: Check = { name: show(named), state: 'wrong', message: problem }
  if (verdict.state === 'well') return [row]
  if (verdict.message === says) return [verdict.fix === undefined ? row : wrong(row.name, problem, verdict.fix)]
  return [row, { ...verdict, name: 'first cause' }]
}
