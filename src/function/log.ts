export type Fields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
type Write = (message: string, fields?: Fields) => void

export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  /** Whether debug lines are kept, for a caller to whom gathering their fields is work. */
  readonly debugging: boolean
}

/** One JSON object a line. JSON escapes line breaks, so nothing that a caller sends can forge a line. */
export function createLog(debugging: boolean, write: (line: string) => void = line => process.stderr.write(line)): Log {
  const at =
    (level: string): Write =>
    (message, fields) =>
      write(`${JSON.stringify({ level, time: new Date().toISOString(), msg: message, ...fields })}\n`)
  return { debug: debugging ? at('debug') : () => {}, info: at('info'), warn: at('warn'), error: at('error'), debugging }
}
