import { WriteStream } from 'node:tty'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { estimate, left } from '../e2e/cluster/programs.ts'
import { createProgress } from '../e2e/cluster/progress.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const CLEAR = '\r\u001B[K'

/** A terminal with this many columns, and its rows. */
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

test('shows completed steps in their own rows and the current step in the last', () => {
  const { stream, rows } = terminal(80)
  const progress = createProgress(stream)
  progress.begin('building etcd')
  vi.advanceTimersByTime(3_000)
  progress.say('built etcd')
  progress.begin('building Crossplane')
  vi.advanceTimersByTime(2_000)
  expect(rows).toEqual(['built etcd', 'building Crossplane … 2 s'])
})

test('cuts a line to the width of the terminal, so it can be erased', () => {
  const { stream, rows } = terminal(30)
  const progress = createProgress(stream)
  progress.begin('building Kubernetes controller manager v1.35.4')
  vi.advanceTimersByTime(12_000)
  expect(rows).toEqual(['building Kubernetes c… … 12 s'])
})

test('prints nothing after the end', () => {
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
  { cores: 2, text: 'building 3 programs, once: 13 min, or up to 39 min on a busy machine' },
  { cores: 1, text: 'building 3 programs, once: 26 min, or up to 78 min on a busy machine' },
  { cores: 16, text: 'building 3 programs, once: 13 min, or up to 39 min on a busy machine' },
])('estimates the total time on $cores cores before the first build', ({ cores, text }) => {
  expect(estimate(pins, cores)).toBe(text)
})

test.each([
  { done: 0, spent: 0, text: '13 min left' },
  { done: 1, spent: 100, text: '11 min left' },
  { done: 1, spent: 300, text: '34 min left' },
  { done: 2, spent: 30, text: 'less than a minute left' },
])('estimates after $done builds in $spent s: $text', ({ done, spent, text }) => {
  expect(left(pins, done, spent)).toBe(text)
})
