// A name that does not exist is more often misspelt than not made yet.
import { didYouMean } from '../../text/did-you-mean.ts'

export interface Meant {
  /** The name that was most likely meant; undefined if none is near. */
  readonly name: string | undefined
  /** Goes behind the name that was not found. */
  readonly question: string
  /** Goes to the end: what to do if the name was meant as it is. */
  readonly otherwise: (command: string) => string
}

export function meant(name: string, others: readonly string[]): Meant {
  // `orders-1` and `orders-2` are siblings: whoever takes one for the other takes its messages.
  const near = didYouMean(
    name,
    others.filter(other => withoutDigits(other) !== withoutDigits(name)),
  )
  return {
    name: near,
    question: near === undefined ? '' : `, did you mean '${near}'?`,
    otherwise: command => (near === undefined ? '' : `; if the name is right: ${command}`),
  }
}

const withoutDigits = (name: string) => name.replaceAll(/\d+/g, '')
