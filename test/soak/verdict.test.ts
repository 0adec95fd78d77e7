import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { complaint, leaks, type Memory, unclean } from './verdict.ts'

const MEBIBYTE = 1024 * 1024

/** As a process of 30 MiB shows it 100 times: what `grows` adds, in MiB, at a share of the time. */
const samples = (grows: (share: number, index: number) => number, of: keyof Memory = 'heapUsed'): Memory[] =>
  Array.from({ length: 100 }, (_, index) => {
    const still = { heapUsed: 30 * MEBIBYTE, external: 3 * MEBIBYTE, rss: 100 * MEBIBYTE }
    return { ...still, [of]: still[of] + grows(index / 100, index) * MEBIBYTE }
  })

describe('memory', () => {
  test.each<{ says: string; seen: Memory[] }>([
    { says: 'flat', seen: samples(() => 0) },
    { says: 'noise', seen: samples((_, index) => [0.3, 1.4, 0, 0.9, 40][index % 5] ?? 0) },
    { says: 'a saw-tooth', seen: samples((_, index) => index % 20) },
    { says: 'a saw-tooth with longer and longer teeth', seen: samples((share, index) => (index % 10) * (1 + 9 * share)) },
    { says: 'a warm-up', seen: samples(share => Math.min(share, 0.25) * 200) },
    { says: 'a step', seen: samples(share => (share < 0.6 ? 0 : 50)) },
    { says: 'what is given back', seen: samples(share => (share < 0.5 ? share * 100 : 0)) },
    { says: 'holes in what is resident', seen: samples(share => share * 50, 'rss') },
  ])('$says is no leak', ({ seen }) => expect(leaks(seen)).toEqual([]))

  test.each<{ says: string; seen: Memory[]; found: string }>([
    { says: 'a leak', seen: samples(share => share * 40), found: 'heapUsed grows: at least 40.0, then 50.0, then 60.0 MiB' },
    { says: 'a slow leak', seen: samples(share => share * 10), found: 'heapUsed grows: at least 32.5, then 35.0, then 37.5 MiB' },
    {
      says: 'a leak below a saw-tooth',
      seen: samples((share, index) => share * 40 + (index % 20)),
      found: 'heapUsed grows: at least 45.0, then 54.0, then 62.0 MiB',
    },
    {
      says: 'a leak of buffers',
      seen: samples(share => share * 40, 'external'),
      found: 'external grows: at least 13.0, then 23.0, then 33.0 MiB',
    },
    {
      says: 'a leak out of sight of the heap',
      seen: samples(share => share * 80, 'rss'),
      found: 'rss grows: at least 120.0, then 140.0, then 160.0 MiB',
    },
  ])('$says is found', ({ seen, found }) => expect(leaks(seen)).toEqual([found]))

  test('a run too short to tell is no proof', () => {
    const seen = samples(() => 0)
    expect(leaks(seen.slice(0, 8))).toEqual([])
    expect(leaks(seen.slice(0, 7))).toEqual(['memory was looked at 7 times: too few to tell'])
  })
})

describe('an answer', () => {
  const answer = RunFunctionResponse.fromPartial({ meta: { tag: 'asked' } })
  const encoded = (tag: string) => Buffer.from(RunFunctionResponse.encode(RunFunctionResponse.fromPartial({ meta: { tag } })).finish())

  test("the core's is right", () => expect(complaint({ bytes: encoded('asked') }, answer)).toBeUndefined())
  test('another is wrong', () => expect(complaint({ bytes: encoded('other') }, answer)).toBe("another answer than the core's"))
  test('none is wrong', () =>
    expect(complaint({ code: status.DEADLINE_EXCEEDED, details: 'too late' }, answer)).toBe('a call failed: DEADLINE_EXCEEDED too late'))
})

describe('the end', () => {
  const clean = { calls: 1, inFlight: 0, exitCode: 0, stopped: 'finished' }

  test('a clean one', () => expect(unclean(clean)).toEqual([]))
  test.each([
    { says: 'without a call', end: { calls: 0 }, found: 'nothing was asked' },
    { says: 'with a call that never ended', end: { inFlight: 2 }, found: '2 calls are in flight when nobody calls any more' },
    { says: 'of a crash', end: { exitCode: 1 }, found: 'SIGTERM ended it with 1' },
    { says: 'by a signal', end: { exitCode: null }, found: 'SIGTERM ended it with null' },
    { says: 'that cut calls short', end: { stopped: 'cut short' }, found: 'it said of its last calls: cut short' },
    { says: 'without a word', end: { stopped: undefined }, found: 'it said of its last calls: undefined' },
  ])('$says is unclean', ({ end, found }) => expect(unclean({ ...clean, ...end })).toEqual([found]))
})
