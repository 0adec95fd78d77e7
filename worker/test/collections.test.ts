import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Indexed, IndexedSet, Queue } from '../src/collections.ts'

test('holds the same items as a Set, and leaves those of another one alone', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), steps => {
      const items: readonly Indexed[] = Array.from({ length: 10 }, () => ({ index: undefined }))
      const other = new IndexedSet<Indexed>()
      const foreign: Indexed = { index: undefined }
      other.add(foreign)
      const own = new IndexedSet<Indexed>()
      const set = new Set<Indexed>()
      for (const [adds, index] of steps) {
        const item = items[index] as Indexed
        if (adds) {
          own.add(item)
          set.add(item)
        } else expect(own.delete(item)).toBe(set.delete(item))
        expect(own.size).toBe(set.size)
        expect([...own].every(one => set.has(one))).toBe(true)
        expect(own.delete(foreign)).toBe(false)
      }
      expect([...other]).toEqual([foreign])
    }),
  )
})

test('a queue keeps the order when its ring wraps and grows', () => {
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
