/** The result of checking one part of the cluster. */
export interface Check {
  /** The part that was checked, such as `Crossplane`. */
  readonly name: string
  /** `unknown`: doctor cannot check it from here. `unneeded`: no given claim needs it. */
  readonly state: 'well' | 'wrong' | 'unknown' | 'unneeded'
  readonly message: string
  /** The command that fixes it or shows more. */
  readonly fix?: string
  /** Texts of others that show more, a line each, such as the end of a log. */
  readonly quotes?: readonly string[]
  /** The figures of the consumer that was checked. */
  readonly queue?: Queue
}

/** The messages of a consumer. */
export interface Queue {
  /** As KEDA counts it: the messages that wait and those in work. */
  readonly lag: number
  readonly waiting: number
  /** Delivered, and not acknowledged yet. */
  readonly inFlight: number
  /** Those in work that were delivered before. */
  readonly redelivered: number
}

export const well = (name: string, message: string): Check => ({ name, state: 'well', message })
export const wrong = (name: string, message: string, fix: string): Check => ({ name, state: 'wrong', message, fix })
export const unneeded = (name: string, message: string): Check => ({ name, state: 'unneeded', message })
export const unknown = (name: string, message: string, fix?: string): Check => ({
  name,
  state: 'unknown',
  message,
  ...(fix !== undefined && { fix }),
})
