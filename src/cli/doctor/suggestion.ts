// A missing name is more often misspelt than not created yet.
import { didYouMean } from '../../text/did-you-mean.ts'

export interface Suggestion {
  /** The name that was most likely meant; undefined if none is near. */
  readonly name: string | undefined
  /** Follows the name that was not found. */
  readonly question: string
  /** Ends the message: what to do if the name is correct. */
  readonly otherwise: (command: string) => string
}

export function suggest(name: string, others: readonly string[]): Suggestion {
  // `orders-1` and `orders-2` are siblings, and suggesting one for the other would consume its messages.
  const near = didYouMean(
    name,
    others.filter(other => withoutDigits(other) !== withoutDigits(name)),
  )
  return {
    name: near,
    question: near === undefined ? '' : ` (did you mean '${near}'?)`,
    otherwise: command => (near === undefined ? '' : `; if the name is correct, run: ${command}`),
  }
}

const withoutDigits = (name: string) => name.replaceAll(/\d+/g, '')
