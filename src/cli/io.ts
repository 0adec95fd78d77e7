/** The streams and the clock of the process, so a test can replace them. */
export interface Io {
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly clock: Clock
}

export interface Clock {
  /** In milliseconds since 1970. */
  readonly now: () => number
  readonly delay: (milliseconds: number) => Promise<void>
}

export interface Input {
  readonly chunks: AsyncIterable<Uint8Array>
  /** Waiting for input on a terminal would look like a hang. */
  readonly isTerminal: boolean
}

export interface Output {
  write(text: string): unknown
  readonly isTerminal: boolean
  readonly color: boolean
  /** In characters. */
  readonly width: number
}

/** 0: valid; 1: findings; 2: could not run. */
export type ExitCode = 0 | 1 | 2
