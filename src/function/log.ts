export type Fields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
type Write = (message: string, fields?: Fields) => void

export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  /** Whether debug lines are written, so that a caller can skip collecting their fields. */
  readonly debugging: boolean
}

/** Writes one JSON object a line. JSON escapes line breaks, so a caller cannot forge a line. */
export function createLog({ debugging }: Pick<Log, 'debugging'>, write: (line: string) => void = line => process.stderr.write(line)): Log {
  const at =
    (level: string): Write =>
    (message, fields) =>
      write(`${JSON.stringify({ level, time: new Date().toISOString(), msg: message, ...fields })}\n`)
  return { debug: debugging ? at('debug') : () => {}, info: at('info'), warn: at('warn'), error: at('error'), debugging }
}
