import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Bag, type Placed, Queue } from '../src/collections.ts'

test('a bag holds what a set holds, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), steps => {
      const items: readonly Placed[] = Array.from({ length: 10 }, () => ({ place: undefined }))
      const bag = new Bag<Placed>()
      const set = new Set<Placed>()
      for (const [adds, index] of steps) {
        const item = items[index] as Placed
        if (!adds) expect(bag.delete(item)).toBe(set.delete(item))
        else if (!set.has(item)) {
          bag.add(item)
          set.add(item)
        }
        expect(bag.size).toBe(set.size)
        expect([...bag].every(one => set.has(one))).toBe(true)
      }
    }),
  )
})

test('a queue gives what came first, also when its ring has grown around', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 20 }), steps => {
      const queue = new Queue<number>()
      const array: number[] = []
      let next = 0
      for (const [pushes, shifts] of steps) {
        for (let left = pushes; left > 0; left--) {
          queue.push(next)
          array.push(next++)
        }
        expect([...queue]).toEqual(array)
        for (let left = shifts; left > 0; left--) expect(queue.shift()).toBe(array.shift())
        expect(queue.size).toBe(array.length)
      }
    }),
  )
})
