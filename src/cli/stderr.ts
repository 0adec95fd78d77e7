import { printable } from '../text/printable.ts'
import type { ExitCode, Io } from './io.ts'

/** Ends a command. Without a message all that there is to say has been printed. */
export class CommandError extends Error {
  readonly exitCode: Exclude<ExitCode, 0>

  constructor(exitCode: Exclude<ExitCode, 0>, message = '') {
    super(message)
    this.exitCode = exitCode
  }
}

/** A line on standard error, whoever's words are in it. */
export const note = ({ stderr }: Pick<Io, 'stderr'>, text: string): void => void stderr.write(`${printable(text)}\n`)

/** Ends a command that cannot do what was asked: says who cannot, and why. */
export function fail(who: string, problem: string): never {
  throw new CommandError(2, `${who}: ${problem}`)
}
