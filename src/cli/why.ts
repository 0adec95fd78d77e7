import { command } from './command.ts'
import { clusterOptions, showingProgress, withCluster } from './connect.ts'
import type { Api } from './doctor/api.ts'
import { type Named, readClaimName } from './doctor/claims.ts'
import { printTable } from './doctor/print.ts'
import type { Clock, ExitCode, Io } from './io.ts'
import { type Investigation, investigate } from './why/investigate.ts'
import { printInvestigation, publishInvestigation } from './why/print.ts'

export const why = command({
  name: 'why',
  summary: 'Explain the state of a claim: the first cause, and the command that fixes it.',
  operands: 'NAMESPACE/NAME|NAME',
  details:
    'Follows the claim to its composite, its objects, its pods with the last log lines of a failing container, and its NATS\n' +
    'consumer. Reads with your account, and changes nothing. The log lines are printed as the program wrote them, so they may\n' +
    'contain secrets of the program: leave them out with --no-logs.\n' +
    'Exit codes: 0 nothing is wrong, 1 something is, 2 could not run, for example because the cluster is unreachable.',
  examples: ['eds why shop/orders-worker', 'eds why orders-worker -n shop --watch', 'eds why shop/orders-worker --no-logs -o json'],
  options: {
    output: { type: 'string', short: 'o', choices: ['text', 'json'], description: 'output format; default: text' },
    watch: {
      type: 'boolean',
      short: 'w',
      description: 'ask every 5 seconds and print what has changed, until Ctrl-C; on a terminal the screen is redrawn',
    },
    'no-logs': { type: 'boolean', description: 'print no lines of logs' },
    ...clusterOptions,
  },
  run: ({ values, operands }, io) =>
    withCluster('why', values, async ({ api, check, namespace, server }) => {
      const named = readClaimName('why', operands, namespace)
      const logs = values['no-logs'] !== true
      const isJson = values.output === 'json'
      const first = await showingProgress(io, `asking ${server.host} …`, async () => {
        await check()
        return investigate(api, named, { logs })
      })
      if (values.watch) return watch(api, named, first, { io, logs, isJson })
      io.stdout.write(isJson ? `${JSON.stringify(publishInvestigation(first), null, 2)}\n` : printInvestigation(first, io.stdout))
      return first.verdict.state === 'wrong' ? 1 : 0
    }),
})

const INTERVAL_MS = 5_000

/** Prints every change, until the process is ended. */
async function watch(
  api: Api,
  named: Named,
  first: Investigation,
  { io: { stdout, clock }, logs, isJson }: { readonly io: Io; readonly logs: boolean; readonly isJson: boolean },
): Promise<ExitCode> {
  const isScreen = stdout.isTerminal && !isJson
  const print = (found: Investigation) =>
    isJson
      ? `${JSON.stringify(publishInvestigation(found))}\n`
      : isScreen
        ? printInvestigation(found, stdout)
        : printTable([lineOf(found)], stdout)
  let before: string | undefined
  for (let found = first; ; found = await investigate(api, named, { logs })) {
    const text = print(found)
    if (text !== before) stdout.write(isScreen ? `${CLEAR}${text}` : `${isJson ? '' : `${timeOf(clock)} `}${text}`)
    before = text
    await clock.delay(INTERVAL_MS)
  }
}

/** Clears the screen, and moves the cursor to its top. */
const CLEAR = '\u001B[2J\u001B[H'

/** One line a change, so without the command. */
const lineOf = ({ verdict: { fix: _, ...line } }: Investigation) => line

const timeOf = ({ now }: Clock) => new Date(now()).toISOString().slice(11, 19)
