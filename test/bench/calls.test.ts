import { Ready, RunFunctionRequest, Severity } from '@crossplane-org/function-sdk-typescript'
import { describe, expect, test } from 'vitest'
import { runFunction } from '../../src/function/run-function.ts'
import { at } from '../../src/kubernetes/json.ts'
import { bytesOf, callsOf, type Kind } from './calls.ts'

const all = { first: callsOf('first', {}), steady: callsOf('steady', {}), mixed: callsOf('mixed', {}), busy: callsOf('busy', {}) }

const decoded = (kind: Kind) => {
  const calls = all[kind]
  return (number: number) => {
    const request = RunFunctionRequest.decode(Buffer.from(bytesOf(calls, number)))
    const composite = request.observed?.composite?.resource
    const scaledObject = request.observed?.resources.scaledobject?.resource
    return { request, name: at(composite, 'spec', 'claimRef', 'name'), image: at(composite, 'spec', 'image'), scaledObject }
  }
}

describe.each(Object.keys(all) as Kind[])('a %s call', kind => {
  test.each([0, 1, 127, 128, 12_345])('number %d composes all resources', number => {
    const { desired, results } = runFunction(decoded(kind)(number).request)
    expect(results.filter(({ severity }) => severity === Severity.SEVERITY_FATAL)).toEqual([])
    expect(Object.keys(desired?.resources ?? {}).sort()).toEqual([
      'deployment',
      'poddisruptionbudget',
      'scaledobject',
      'service',
      'serviceaccount',
    ])
  })
})

test('a first call is for a new claim without observed resources', () => {
  const first = decoded('first')
  expect([first(7), first(100_007)].map(({ name, image }) => [name, image])).toEqual([
    ['worker-0000000007', 'ghcr.io/acme/worker:1.4.0000000007'],
    ['worker-0000100007', 'ghcr.io/acme/worker:1.4.0000100007'],
  ])
  expect(first(7).request.observed?.resources).toEqual({})
})

test.each<{ kind: Kind; names: string[] }>([
  { kind: 'steady', names: ['worker-0000000000', 'worker-0000000000', 'worker-0000000000'] },
  { kind: 'mixed', names: ['worker-0000000000', 'worker-0000000999', 'worker-0000000000'] },
])('a $kind call changes only the ScaledObject of the claim', ({ kind, names }) => {
  const call = decoded(kind)
  const made = [0, 999, 1000].map(call)
  expect(made.map(({ name }) => name)).toEqual(names)
  expect(made.map(({ scaledObject }) => at(scaledObject, 'metadata', 'resourceVersion'))).toEqual([
    '0000000000',
    '0000000999',
    '0000001000',
  ])
  expect(made.map(({ scaledObject }) => at(scaledObject, 'status', 'lastActiveTime'))).toEqual([
    '2026-01-05T08:00:00Z',
    '2026-01-05T08:16:39Z',
    '2026-01-05T08:16:40Z',
  ])
  const [before, , after] = made.map(({ request }) => request.observed)
  expect(after?.composite).toEqual(before?.composite)
  expect(after?.resources.deployment).toEqual(before?.resources.deployment)
})

test('busy calls take turns over ten thousand claims', () => {
  const busy = decoded('busy')
  expect([0, 9_999, 10_000].map(number => busy(number).name)).toEqual(['worker-0000000000', 'worker-0000009999', 'worker-0000000000'])
})

test('a steady call reports ready resources and no events', () => {
  const { desired, results } = runFunction(decoded('steady')(1).request)
  expect(Object.values(desired?.resources ?? {}).filter(({ ready }) => ready !== Ready.READY_TRUE)).toEqual([])
  expect(results).toEqual([])
})

test('the order of map entries differs between calls, as with Go', () => {
  const call = decoded('steady')
  const orders = new Set(Array.from({ length: 20 }, (_, number) => Object.keys(call(number).request.observed?.resources ?? {}).join()))
  expect(orders.size).toBeGreaterThan(1)
})
