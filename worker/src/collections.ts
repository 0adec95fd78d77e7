// A set and a queue for objects that come and go by the ten thousand a second.
//
// A Set replaces its table again and again, and an array that is shifted replaces its storage. The old piece still points to what was in it,
// and an old table to the next one. Once the garbage collector has moved such a piece to its old generation, all that it points to stays
// until the next full collection: 25 MB of a worker under load.

export interface Placed {
  /** Its index in the bag; undefined outside. */
  place: number | undefined
}

/** A set in no order. Must not change while it is iterated. */
export class Bag<T extends Placed> implements Iterable<T> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: T): void {
    item.place = this.#items.push(item) - 1
  }

  /** False if it was not there. */
  delete(item: T): boolean {
    const { place } = item
    if (place === undefined) return false
    const last = this.#items.pop()
    if (last !== undefined && last !== item) {
      this.#items[place] = last
      last.place = place
    }
    item.place = undefined
    return true
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]()
  }
}

/** First in, first out, in a ring that doubles when it is full. */
export class Queue<T> implements Iterable<T> {
  #ring: (T | undefined)[] = new Array(16).fill(undefined)
  #first = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) {
      const items = [...this]
      this.#ring = [...items, ...items.map(() => undefined)]
      this.#first = 0
    }
    this.#ring[this.#at(this.#size)] = item
    this.#size += 1
  }

  /** Undefined if nothing is left. */
  shift(): T | undefined {
    const item = this.#ring[this.#first]
    if (this.#size === 0) return undefined
    this.#ring[this.#first] = undefined
    this.#first = this.#at(1)
    this.#size -= 1
    return item
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = 0; index < this.#size; index++) yield this.#ring[this.#at(index)] as T
  }

  /** The size of a ring is a power of two. */
  #at(offset: number): number {
    return (this.#first + offset) & (this.#ring.length - 1)
  }
}
