import { WriteStream } from 'node:tty'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { estimate, left } from '../e2e/cluster/programs.ts'
import { createProgress } from '../e2e/cluster/progress.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const CLEAR = '\r\u001B[K'

/** A terminal so wide, and the rows that it shows. */
function terminal(columns: number) {
  const rows = ['']
  const put = (text: string): void => {
    for (const sign of text) {
      if (rows[rows.length - 1]?.length === columns) rows.push('')
      rows[rows.length - 1] += sign
    }
  }
  const write = (text: string): boolean => {
    for (const [index, line] of text.split('\n').entries()) {
      if (index > 0) rows.push('')
      const parts = line.split(CLEAR)
      if (parts.length > 1) rows[rows.length - 1] = ''
      put(parts.at(-1) ?? '')
    }
    return true
  }
  const stream: NodeJS.WriteStream = Object.assign(Object.create(WriteStream.prototype), { isTTY: true, columns, write })
  return { stream, rows }
}

test('each step that is done keeps a row of its own, and the step at hand has the last', () => {
  const { stream, rows } = terminal(80)
  const progress = createProgress(stream)
  progress.begin('building etcd')
  vi.advanceTimersByTime(3_000)
  progress.say('built etcd')
  progress.begin('building Crossplane')
  vi.advanceTimersByTime(2_000)
  expect(rows).toEqual(['built etcd', 'building Crossplane … 2 s'])
})

test('a line wider than the terminal is cut, so that no row of it is left behind', () => {
  const { stream, rows } = terminal(30)
  const progress = createProgress(stream)
  progress.begin('building Kubernetes controller manager v1.35.4')
  vi.advanceTimersByTime(12_000)
  expect(rows).toEqual(['building Kubernetes c… … 12 s'])
})

test('nothing is said after the end', () => {
  const { stream, rows } = terminal(80)
  const progress = createProgress(stream)
  progress.begin('starting')
  progress.end()
  progress.say('up')
  progress.begin('installing')
  vi.advanceTimersByTime(5_000)
  expect(rows).toEqual([''])
})

const pins = [{ seconds: 100 }, { seconds: 200 }, { seconds: 480 }]

test.each([
  { cores: 2, says: 'building 3 programs, once: 13 min, or up to 39 min on a busy machine' },
  { cores: 1, says: 'building 3 programs, once: 26 min, or up to 78 min on a busy machine' },
  { cores: 16, says: 'building 3 programs, once: 13 min, or up to 39 min on a busy machine' },
])('estimates the whole on $cores cores before the first build', ({ cores, says }) => {
  expect(estimate(pins, cores)).toBe(says)
})

test.each([
  { done: 0, spent: 0, says: '13 min left' },
  { done: 1, spent: 100, says: '11 min left' },
  { done: 1, spent: 300, says: '34 min left' },
  { done: 2, spent: 30, says: 'less than a minute left' },
])('$done builds that took $spent s leave: $says', ({ done, spent, says }) => {
  expect(left(pins, done, spent)).toBe(says)
})
