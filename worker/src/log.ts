// One JSON object a line, on standard output.
import { writeSync } from 'node:fs'

/** More fields of a line. */
export type LogFields = Readonly<Record<string, unknown>>

/** Writes lines of one level each. */
export interface Log {
  readonly debug: (message: string, fields?: LogFields) => void
  readonly info: (message: string, fields?: LogFields) => void
  readonly warn: (message: string, fields?: LogFields) => void
  readonly error: (message: string, fields?: LogFields) => void
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** Writes one line. */
export type Sink = (line: string) => void

// A line must survive the exit of the process. A full pipe refuses a synchronous write, so the stream takes over.
export const toStandardOutput: Sink = line => {
  try {
    writeSync(process.stdout.fd, line)
  } catch {
    process.stdout.write(line)
  }
}

/** The fields stand in every line. The level comes from LOG_LEVEL. */
export function createLog(fields: LogFields, level: string | undefined, sink: Sink): Log {
  const least = Math.max(0, LEVELS.indexOf((level?.toLowerCase() ?? 'info') as Level))
  const write =
    (name: Level) =>
    (message: string, more: LogFields = {}): void => {
      if (LEVELS.indexOf(name) < least) return
      sink(`${JSON.stringify({ time: new Date().toISOString(), level: name, message, ...fields, ...more }, shown)}\n`)
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

const shown = (_: string, value: unknown) => {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'bigint' ? String(value) : value
}

/** A log with more fields in every line. */
export const withFields = (log: Log, fields: () => LogFields): Log => ({
  debug: (message, more) => log.debug(message, { ...fields(), ...more }),
  info: (message, more) => log.info(message, { ...fields(), ...more }),
  warn: (message, more) => log.warn(message, { ...fields(), ...more }),
  error: (message, more) => log.error(message, { ...fields(), ...more }),
})
