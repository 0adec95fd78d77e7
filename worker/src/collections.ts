// A set and a queue for objects that come and go by the ten thousand a second.
//
// A Set replaces its table again and again, and a shifted array its storage. V8 may keep a replaced piece, and all that it references, until
// the next full collection: 25 MB of a worker under load.

export interface Indexed {
  /** In the set that it is in; undefined outside. */
  index: number | undefined
}

/** A set of objects that are in no other such set. It has no order, and must not change while it is iterated. */
export class IndexedSet<T extends Indexed> implements Iterable<T> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  has(item: T): boolean {
    return item.index !== undefined && this.#items[item.index] === item
  }

  add(item: T): void {
    if (!this.has(item)) item.index = this.#items.push(item) - 1
  }

  /** False if it was not there. */
  delete(item: T): boolean {
    const { index } = item
    if (index === undefined || this.#items[index] !== item) return false
    const last = this.#items.pop()
    if (last !== undefined && last !== item) {
      this.#items[index] = last
      last.index = index
    }
    item.index = undefined
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
