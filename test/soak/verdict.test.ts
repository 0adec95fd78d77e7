import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { leaks, type Memory, problemOf, problemsAtEnd } from './verdict.ts'

const MEBIBYTE = 1024 * 1024

/** 100 samples of a process of 30 MiB; `grows` returns the growth in MiB at a share of the run. */
const samples = (grows: (share: number, index: number) => number, of: keyof Memory = 'heapUsed'): Memory[] =>
  Array.from({ length: 100 }, (_, index) => {
    const constant = { heapUsed: 30 * MEBIBYTE, external: 3 * MEBIBYTE, rss: 100 * MEBIBYTE }
    return { ...constant, [of]: constant[of] + grows(index / 100, index) * MEBIBYTE }
  })

describe('memory', () => {
  test.each<{ title: string; seen: Memory[] }>([
    { title: 'constant memory', seen: samples(() => 0) },
    { title: 'noise', seen: samples((_, index) => [0.3, 1.4, 0, 0.9, 40][index % 5] ?? 0) },
    { title: 'a saw-tooth', seen: samples((_, index) => index % 20) },
    { title: 'a saw-tooth with longer and longer teeth', seen: samples((share, index) => (index % 10) * (1 + 9 * share)) },
    { title: 'a warm-up', seen: samples(share => Math.min(share, 0.25) * 200) },
    { title: 'a single step', seen: samples(share => (share < 0.6 ? 0 : 50)) },
    { title: 'memory that is freed again', seen: samples(share => (share < 0.5 ? share * 100 : 0)) },
    { title: 'fragmentation of the resident memory', seen: samples(share => share * 50, 'rss') },
  ])('$title is not a leak', ({ seen }) => expect(leaks(seen)).toEqual([]))

  test.each<{ title: string; seen: Memory[]; found: string }>([
    { title: 'a leak', seen: samples(share => share * 40), found: 'heapUsed grows: at least 40.0, then 50.0, then 60.0 MiB' },
    { title: 'a slow leak', seen: samples(share => share * 10), found: 'heapUsed grows: at least 32.5, then 35.0, then 37.5 MiB' },
    {
      title: 'a leak below a saw-tooth',
      seen: samples((share, index) => share * 40 + (index % 20)),
      found: 'heapUsed grows: at least 45.0, then 54.0, then 62.0 MiB',
    },
    {
      title: 'a leak of buffers',
      seen: samples(share => share * 40, 'external'),
      found: 'external grows: at least 13.0, then 23.0, then 33.0 MiB',
    },
    {
      title: 'a leak outside the heap',
      seen: samples(share => share * 80, 'rss'),
      found: 'rss grows: at least 120.0, then 140.0, then 160.0 MiB',
    },
  ])('detects $title', ({ seen, found }) => expect(leaks(seen)).toEqual([found]))

  test('reports a run that is too short to detect a leak', () => {
    const seen = samples(() => 0)
    expect(leaks(seen.slice(0, 8))).toEqual([])
    expect(leaks(seen.slice(0, 7))).toEqual(['only 7 memory samples, which is too few to detect a leak'])
  })
})

describe('a response', () => {
  const answer = RunFunctionResponse.fromPartial({ meta: { tag: 'asked' } })
  const encoded = (tag: string) => Buffer.from(RunFunctionResponse.encode(RunFunctionResponse.fromPartial({ meta: { tag } })).finish())

  test("equal to the core's is right", () => expect(problemOf({ bytes: encoded('asked') }, answer)).toBeUndefined())
  test("different from the core's is a problem", () =>
    expect(problemOf({ bytes: encoded('other') }, answer)).toBe("the response differs from the core's"))
  test('that is missing is a problem', () =>
    expect(problemOf({ code: status.DEADLINE_EXCEEDED, details: 'too late' }, answer)).toBe('a call failed: DEADLINE_EXCEEDED too late'))
})

describe('the end of a run', () => {
  const clean = { calls: 1, inFlight: 0, exitCode: 0, stopped: 'finished' }

  test('without problems reports none', () => expect(problemsAtEnd(clean)).toEqual([]))
  test.each([
    { title: 'without a call', end: { calls: 0 }, found: 'no call was made' },
    { title: 'with calls still in flight', end: { inFlight: 2 }, found: '2 calls are still in flight after the last one' },
    { title: 'after a crash', end: { exitCode: 1 }, found: 'the function exited with 1 after SIGTERM' },
    { title: 'by a signal', end: { exitCode: null }, found: 'the function exited with null after SIGTERM' },
    { title: 'that cuts calls short', end: { stopped: 'cut short' }, found: 'the function logged for its last calls: cut short' },
    { title: 'without a log line', end: { stopped: undefined }, found: 'the function logged for its last calls: undefined' },
  ])('$title is a problem', ({ end, found }) => expect(problemsAtEnd({ ...clean, ...end })).toEqual([found]))
})
