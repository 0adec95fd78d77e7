import { safe } from '../safe.ts'
import type { ExitCode, Io } from './io.ts'

/** A line on standard error, whoever's words are in it. */
export const note = ({ stderr }: Pick<Io, 'stderr'>, text: string): void => void stderr.write(`${safe(text)}\n`)

/** Says who could not do what was asked, and why. */
export function fail(io: Pick<Io, 'stderr'>, who: string, problem: string): ExitCode {
  note(io, `${who}: ${problem}`)
  return 2
}
