/** Why something is not a CloudEvent. */
export class CloudEventError extends Error {
  override readonly name = 'CloudEventError'
  /** One sentence for each attribute that is wrong. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`not a CloudEvent: ${problems.join('; ')}`)
    this.problems = problems
  }
}

/** The media type of the message is neither JSON nor binary. */
export class UnsupportedFormatError extends CloudEventError {}
