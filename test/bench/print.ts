// Prints the figures as tables.
import type { Cost, growth, Spent } from './core.ts'
import type { Busy, Case, Memory, Start } from './functions.ts'
import type { Measured } from './process.ts'

type Row = Readonly<Record<string, string | number>>

/** Returns a number without trailing zeros, because console.table quotes strings. */
const rounded = (value: number, places: number) => Number(value.toFixed(places))

const tableOf = <T>(rows: readonly T[], title: (row: T) => string, cells: (row: T) => Row) =>
  console.table(Object.fromEntries(rows.map(row => [title(row), cells(row)])))

export const printExamples = (costs: readonly { example: string; cost: Cost }[]) =>
  tableOf(
    costs,
    ({ example }) => example,
    ({ cost }) => ({ 'parse µs': Math.round(cost.parse), 'compose µs': Math.round(cost.compose), 'cached call µs': Math.round(cost.call) }),
  )

export const printGrowth = (rows: ReturnType<typeof growth>) =>
  tableOf(
    rows,
    ({ what, stage }) => `${what}: ${stage}`,
    ({ none, costs, slope, exponent }) => ({
      'none µs': Math.round(none),
      'few, many, most': costs.map(({ count, microseconds }) => `${count}: ${Math.round(microseconds)}`).join(', '),
      'µs an entry': rounded(slope, 2),
      // Noise hides the exponent if the cost hardly grows.
      'grows as count to the power of': Number.isNaN(exponent) ? '' : rounded(exponent, 2),
    }),
  )

const titleOf = ({ transport, kind, inFlight }: Case) => `${transport}, ${kind}, ${inFlight} in flight`

export const printMeasured = (rows: readonly (Case & Measured)[]) =>
  tableOf(
    rows,
    row => `${titleOf(row)}: ${row.name}`,
    ({ callsPerSecond, p50Ms, p99Ms, cpuMsPerCall, clientCpuMsPerCall, rssMegabytes }) => ({
      'calls/s': Math.round(callsPerSecond),
      'p50 ms': rounded(p50Ms, 2),
      'p99 ms': rounded(p99Ms, 2),
      'CPU ms a call': rounded(cpuMsPerCall, 3),
      "the client's": rounded(clientCpuMsPerCall, 3),
      'RSS MB': Math.round(rssMegabytes),
    }),
  )

export const printSpent = (rows: readonly Spent[]) =>
  tableOf(
    rows,
    ({ kind }) => kind,
    ({ decode, answer, encode }) => ({ 'decode µs': Math.round(decode), 'answer µs': Math.round(answer), 'encode µs': Math.round(encode) }),
  )

/** Our figures as a share of the peer's. */
export const printRatios = (rows: readonly (Case & Measured)[], own: string, peer: string) =>
  tableOf(
    rows.flatMap(ours => {
      const theirs = rows.find(row => row.name === peer && titleOf(row) === titleOf(ours))
      return ours.name === own && theirs ? [{ ours, theirs }] : []
    }),
    ({ ours }) => titleOf(ours),
    ({ ours, theirs }) => ({
      'calls/s': rounded(ours.callsPerSecond / theirs.callsPerSecond, 2),
      p50: rounded(ours.p50Ms / theirs.p50Ms, 2),
      p99: rounded(ours.p99Ms / theirs.p99Ms, 2),
      'CPU a call': rounded(ours.cpuMsPerCall / theirs.cpuMsPerCall, 2),
      RSS: rounded(ours.rssMegabytes / theirs.rssMegabytes, 2),
    }),
  )

export const printMemory = (rows: readonly Memory[]) =>
  tableOf(
    rows,
    ({ transport, name }) => `${transport}: ${name}`,
    ({ idleMegabytes, peakMegabytes, endMegabytes }) => ({
      'idle MB': Math.round(idleMegabytes),
      'peak MB': Math.round(peakMegabytes),
      'at the end MB': Math.round(endMegabytes),
    }),
  )

export const printBusy = (rows: readonly Busy[]) =>
  tableOf(
    rows,
    ({ name }) => name,
    ({ cores, rssMegabytes }) => ({ '% of a core': rounded(cores * 100, 1), 'RSS MB': Math.round(rssMegabytes) }),
  )

export const printStarts = (rows: readonly Start[]) =>
  tableOf(
    rows,
    ({ name }) => name,
    ({ ms, cpuMs }) => ({ 'to the first response ms': Math.round(ms), 'CPU ms': Math.round(cpuMs) }),
  )
