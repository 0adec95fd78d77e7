/** What a command may touch of the process, so that a test can hand it something else. */
export interface Io {
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
}

export interface Input {
  readonly chunks: AsyncIterable<Uint8Array>
  /** Where nobody pipes anything in, waiting for it would look like a hang. */
  readonly isTerminal: boolean
}

export interface Output {
  write(text: string): unknown
  readonly isTerminal: boolean
  readonly color: boolean
  /** In characters. */
  readonly width: number
}

/** 0: valid; 1: something is wrong with what was given; 2: it could not be judged at all. */
export type ExitCode = 0 | 1 | 2
