import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, type JsonObject, nonEmptyText } from '../../kubernetes/json.ts'
import { printable } from '../../text/printable.ts'
import { nameOf } from '../doctor/api.ts'
import { printTable, publish } from '../doctor/print.ts'
import type { Output } from '../io.ts'
import { painter } from '../print/color.ts'
import { showDuration } from '../print/duration.ts'
import { show } from '../why/investigate.ts'
import {
  type BuildReport,
  buildAgain,
  cancel,
  digestOf,
  type Finished,
  isRunning,
  revisionOf,
  rollBack,
  secondsOf,
  showLog,
} from './report.ts'

/** The state, what runs, the history as a table, and the commands that go on from there. */
export function printBuild(claim: ResolvedClaim, report: BuildReport, now: number, out: Output): string {
  const { fix: _, ...state } = report.check
  const paint = painter(out)
  const commands = commandsOf(claim, report, now)
  const width = Math.max(...commands.map(([title]) => title.length))
  const parts = [
    [`runs: ${printable(factsOf(report))}`],
    tableOf(report, now).map(printable),
    commands.map(([title, command]) => `${paint('dim', printable(title.padEnd(width)))}  ${paint('cyan', printable(command))}`),
  ]
  const blocks = parts.filter(lines => lines.length > 0).map(lines => lines.map(line => `  ${line}\n`).join(''))
  return printTable([{ ...state, name: show(claim) }], out) + blocks.join('\n')
}

function factsOf({ runs }: BuildReport): string {
  if (runs?.image === undefined) return 'nothing, because no build has succeeded yet'
  const { image, commit, revision } = runs
  const from = [...(commit === undefined ? [] : [`commit ${commit}`]), ...(revision === commit || revision === undefined ? [] : [revision])]
  return [image, ...from].join(', ')
}

const COLUMNS = ['NAME', 'REASON', 'REVISION', 'COMMIT', 'TOOK', 'DIGEST'] as const
const SHORT_COMMIT = 12
const SHORT_DIGEST = 'sha256:'.length + 12

function tableOf({ run, history }: BuildReport, now: number): string[] {
  const current = isRunning(run) ? [runningRow(run, now)] : []
  const rows = [...current, ...history.map(rowOf)]
  if (rows.length === 0) return []
  const all = [[...COLUMNS], ...rows]
  const widths = COLUMNS.map((_, index) => Math.max(...all.map(cells => cells[index]?.length ?? 0)))
  return all.map(cells =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const rowOf = (finished: Finished): string[] => {
  const { name = '', reason = '', revision = '', commit = '', image } = finished
  const seconds = secondsOf(finished)
  return [
    name,
    reason,
    shorten(revision),
    commit.slice(0, SHORT_COMMIT) || '-',
    seconds === undefined ? '-' : showDuration(seconds),
    digestOf(image)?.slice(0, SHORT_DIGEST) ?? '-',
  ]
}

function runningRow(run: JsonObject, now: number): string[] {
  const startedAt = nonEmptyText(at(run, 'status', 'startTime'))
  const seconds = startedAt === undefined ? undefined : secondsOf({ startedAt, finishedAt: new Date(now).toISOString() })
  return [nameOf(run), 'Building', shorten(revisionOf(run)), '-', seconds === undefined ? '-' : showDuration(seconds), '-']
}

/** A commit is as long as in the column beside it. */
const shorten = (revision: string) => (/^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, SHORT_COMMIT) : revision)

function commandsOf(claim: ResolvedClaim, report: BuildReport, now: number): (readonly [string, string])[] {
  const { log, cancel, again, rollback } = commands(claim, report, now)
  return [
    ...(log === undefined ? [] : [['log', log] as const]),
    ...(cancel === undefined ? [] : [['cancel', cancel] as const]),
    ['build again', again],
    ...(rollback === undefined
      ? []
      : [[`roll back to ${shorten(rollback.revision)}${rollback.builds ? ', which builds it again' : ''}`, rollback.command] as const]),
  ]
}

const commands = (claim: ResolvedClaim, report: BuildReport, now: number) => ({
  log: report.run && showLog(report.run, claim),
  cancel: isRunning(report.run) ? cancel(report.run, claim) : undefined,
  again: buildAgain(claim, now),
  rollback: rollBack(claim, report),
})

/** As `-o json` prints it. Scripts read these fields, so they keep their names. */
export function publishBuild(claim: ResolvedClaim, report: BuildReport, now: number): object {
  const { check, run, runs, history } = report
  const { name: _, ...state } = publish(check)
  const { log, cancel, again, rollback } = commands(claim, report, now)
  return {
    claim: { namespace: claim.namespace, name: claim.name },
    ...state,
    ...(run && { buildRun: nameOf(run) }),
    ...(runs && { runs: { ...runs, digest: digestOf(runs.image) } }),
    history: history.map(one => ({ ...one, digest: digestOf(one.image), seconds: secondsOf(one) })),
    commands: { log, cancel, again, ...(rollback && { rollback: rollback.command, rollbackBuilds: rollback.builds }) },
  }
}
