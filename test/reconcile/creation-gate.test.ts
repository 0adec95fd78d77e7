import { describe, expect, test } from 'vitest'
import type { OwnedResource } from '../../src/capabilities/capability.ts'
import { exists, inProgress } from '../../src/capabilities/readiness.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import type { Built } from '../../src/reconcile/build.ts'
import { type ClusterLookup, noLookup } from '../../src/reconcile/cluster-lookup.ts'
import { gateCreation } from '../../src/reconcile/creation-gate.ts'
import { resolvedClaim } from '../fixtures/resolved-claim.ts'

const manifestOf = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' } })

function built(key: string, condition: string): Built {
  const resource: OwnedResource = { key, condition, role: 'deployment', kinds: [], build: () => manifestOf(key), ready: exists }
  return { resource, manifest: manifestOf(key), readiness: exists(manifestOf(key)), observation: undefined, isFrozen: false }
}

const all = [built('main', 'Workload'), built('account', 'Workload'), built('scaler', 'Scaling'), built('broker', 'Eventing')]
const switching = inProgress('Switching', 'the new workload is being created')

const asked = (existing: Record<string, JsonObject>): ClusterLookup => ({
  ...noLookup,
  canAsk: true,
  existing: { ...Object.fromEntries(all.map(({ resource: { key } }) => [key, undefined])), ...existing },
})
const foreign = (name: string): JsonObject => manifestOf(name)
const leaving = (name: string): JsonObject => ({
  ...manifestOf(name),
  metadata: { name, namespace: 'shop', deletionTimestamp: '2026-01-01T00:00:00Z' },
})

const gate = (lookup: ClusterLookup, step?: typeof switching) => gateCreation(all, resolvedClaim(), lookup, step)
const open = ({ isOpen }: ReturnType<typeof gate>) => all.filter(isOpen).map(({ resource: { key } }) => key)
const reasons = ({ blocks }: ReturnType<typeof gate>) => blocks.map(({ condition, readiness }) => `${condition} ${readiness.reason}`)

describe('new resources', () => {
  test.each<{ says: string; existing: Record<string, JsonObject>; isOpen: string[]; blocks: string[]; waits: boolean }>([
    { says: 'are created if every name is free', existing: {}, isOpen: ['main', 'account', 'scaler', 'broker'], blocks: [], waits: false },
    {
      says: 'of a condition wait for a name of that condition',
      existing: { scaler: foreign('scaler') },
      isOpen: ['main', 'account', 'broker'],
      blocks: ['Scaling NameTaken'],
      waits: false,
    },
    {
      says: 'all wait for a name of the workload',
      existing: { account: foreign('account') },
      isOpen: [],
      blocks: ['Workload NameTaken'],
      waits: false,
    },
    {
      says: 'report each taken name under its own condition',
      existing: { scaler: foreign('scaler'), broker: foreign('broker') },
      isOpen: ['main', 'account'],
      blocks: ['Scaling NameTaken', 'Eventing NameTaken'],
      waits: false,
    },
    {
      says: 'wait for an object of their name that is being deleted',
      existing: { broker: leaving('broker') },
      isOpen: ['main', 'account', 'scaler'],
      blocks: ['Eventing Waiting'],
      waits: true,
    },
    {
      says: 'report a taken name rather than a deletion',
      existing: { main: leaving('main'), account: foreign('account') },
      isOpen: [],
      blocks: ['Workload NameTaken'],
      waits: false,
    },
  ])('$says', ({ existing, isOpen, blocks, waits }) => {
    const result = gate(asked(existing))
    expect(open(result)).toEqual(isOpen)
    expect(reasons(result)).toEqual(blocks)
    expect(result.waits).toBe(waits)
  })

  test('all wait until Crossplane has answered for every name', () => {
    const result = gate({ ...noLookup, canAsk: true, existing: { main: undefined } })
    expect(open(result)).toEqual([])
    expect(reasons(result)).toEqual(['Workload Creating'])
    expect(result.nameQueries.map(({ key }) => key)).toEqual(['main', 'account', 'scaler', 'broker'])
  })

  test('are created without asking if nobody can be asked', () => expect(open(gate(noLookup))).toHaveLength(all.length))
})

describe('a change of runtime', () => {
  test('explains a deletion of the workload', () => {
    expect(reasons(gate(asked({ main: leaving('main') }), switching))).toEqual(['Workload Switching', 'Workload Waiting'])
  })

  test('does not hide a taken name of the workload', () => {
    expect(reasons(gate(asked({ main: foreign('main') }), switching))).toEqual(['Workload NameTaken', 'Workload Switching'])
  })

  test('comes first for the workload, whatever else is taken', () => {
    expect(reasons(gate(asked({ scaler: foreign('scaler') }), switching))).toEqual(['Workload Switching', 'Scaling NameTaken'])
  })
})
