import { describe, expect, test } from 'vitest'
import { createForbiddenKinds, type Evidence } from '../../src/function/forbidden-kinds.ts'

const MINUTE = 60_000
const PDB = 'PodDisruptionBudget.policy/v1'
const BROKER = 'Broker.eventing.knative.dev/v1'

function registry() {
  let time = 0
  const kinds = createForbiddenKinds(() => time)
  const learn = (claim: string, evidence: Partial<Evidence>) =>
    kinds.learn({ claim, forbidden: [], read: [], usable: [], asks: evidence.read ?? [], observed: () => [], ...evidence })
  return {
    access: kinds.access,
    learn,
    wait: (minutes: number) => {
      time += minutes * MINUTE
    },
    reports: (claim: string, kind: string) => learn(claim, { forbidden: [{ kind, source: 'reported' }] }),
    remembers: (claim: string, ...all: readonly string[]) => learn(claim, { forbidden: all.map(kind => ({ kind, source: 'remembered' })) }),
    isTold: (claim: string, kind: string) => learn(claim, { forbidden: [{ kind, source: 'shared' }] }),
    reads: (claim: string, kind: string) => learn(claim, { read: [kind] }),
    observes: (claim: string, kind: string) => learn(claim, { observed: () => [kind] }),
  }
}

describe('a claim asks again', () => {
  test('ten minutes after the refusal', () => {
    const { reports, remembers, wait } = registry()
    reports('a', PDB)
    wait(9)
    expect(remembers('a', PDB)).toBeUndefined()
    wait(1)
    expect(remembers('a', PDB)).toBe(PDB)
  })

  test('in all calls of a reconcile, because Crossplane calls again with each answer', () => {
    const { reports, remembers, learn, access, wait } = registry()
    reports('a', PDB)
    wait(10)
    expect(remembers('a', PDB)).toBe(PDB)
    learn('a', { asks: [PDB] })
    learn('a', { observed: () => [PDB] })
    expect(access.get(PDB)).toBe(true)
  })

  test('not in the next reconcile, if Crossplane told the refusal to another process', () => {
    const { reports, remembers, wait } = registry()
    reports('a', PDB)
    wait(10)
    expect([remembers('a', PDB), remembers('a', PDB)]).toEqual([PDB, undefined])
    wait(10)
    expect(remembers('a', PDB)).toBe(PDB)
  })

  test('for one kind in a reconcile, because Crossplane gives up after five questions', () => {
    const { reports, learn, wait } = registry()
    for (const kind of [PDB, BROKER]) reports('a', kind)
    wait(10)
    const remembered = (kind: string) => ({ kind, source: 'remembered' as const })
    expect(learn('a', { forbidden: [remembered(PDB), remembered(BROKER)] })).toBe(PDB)
    expect(learn('a', { forbidden: [remembered(BROKER)], read: [PDB] })).toBeUndefined()
    expect(learn('a', { forbidden: [remembered(BROKER)], observed: () => [PDB] })).toBe(BROKER)
  })

  test('alone, unless it is gone', () => {
    const { reports, remembers, wait } = registry()
    reports('a', PDB)
    wait(10)
    expect([remembers('a', PDB), remembers('b', PDB)]).toEqual([PDB, undefined])
    wait(10)
    expect(remembers('b', PDB)).toBe(PDB)
  })

  test('for one kind, while another claim asks for another', () => {
    const { reports, remembers, wait } = registry()
    for (const kind of [PDB, BROKER]) reports('a', kind)
    wait(10)
    expect([remembers('a', PDB, BROKER), remembers('b', PDB, BROKER), remembers('c', PDB, BROKER)]).toEqual([PDB, BROKER, undefined])
  })

  test('only after it was composed without the kind', () => {
    const { reports, isTold, wait } = registry()
    reports('a', PDB)
    wait(20)
    expect(isTold('new', PDB)).toBeUndefined()
  })

  test('at once in a new process', () => {
    const { remembers, access } = registry()
    expect([remembers('a', PDB), remembers('b', PDB)]).toEqual([PDB, undefined])
    expect([...access]).toEqual([[PDB, false]])
  })

  test('for the other kinds at once when one was granted', () => {
    const { reports, remembers, observes, wait } = registry()
    reports('a', PDB)
    wait(9)
    reports('b', BROKER)
    wait(1)
    remembers('a', PDB)
    expect(remembers('b', BROKER)).toBeUndefined()
    observes('a', PDB)
    expect(remembers('b', BROKER)).toBe(BROKER)
  })
})

describe('other claims', () => {
  test('get the kind once the object of the asking claim exists', () => {
    const { reports, remembers, reads, observes, access, wait } = registry()
    reports('a', PDB)
    wait(10)
    remembers('a', PDB)
    // Reading is not enough: Crossplane may still not write.
    reads('a', PDB)
    observes('b', PDB)
    expect(access.get(PDB)).toBe(false)
    observes('a', PDB)
    expect(access.get(PDB)).toBe(true)
  })

  test('ask at once for a kind that Crossplane has read', () => {
    const { reads, access } = registry()
    reads('a', PDB)
    expect(access.get(PDB)).toBe(true)
  })
})
