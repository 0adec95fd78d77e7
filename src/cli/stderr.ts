import { printable } from '../text/printable.ts'
import type { ExitCode, Io } from './io.ts'

/** Ends a command. An empty message means that the reason has been printed. */
export class CommandError extends Error {
  readonly exitCode: Exclude<ExitCode, 0>

  constructor(exitCode: Exclude<ExitCode, 0>, message = '') {
    super(message)
    this.exitCode = exitCode
  }
}

/** Writes a line to standard error, with control characters escaped. */
export const note = ({ stderr }: Pick<Io, 'stderr'>, text: string): void => void stderr.write(`${printable(text)}\n`)

/** Ends a command that cannot run, and reports why. */
export function fail(who: string, problem: string): never {
  throw new CommandError(2, `${who}: ${problem}`)
}
