import { RunFunctionRequest } from '@crossplane-org/function-sdk-typescript'
import { describe, expect, test } from 'vitest'
import type { Capability } from '../../src/capabilities/capability.ts'
import { capabilities, grantCommand } from '../../src/capabilities/index.ts'
import { createForbiddenKinds } from '../../src/function/forbidden-kinds.ts'
import { sharingRunFunction } from '../../src/function/run-function.ts'
import { observedCondition } from '../../src/kubernetes/conditions.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { noLookup } from '../../src/reconcile/cluster-lookup.ts'
import { type Composition, compose } from '../../src/reconcile/compose.ts'
import { typeOf } from '../../src/reconcile/conditions.ts'
import { kindKey } from '../../src/reconcile/missing-crds.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { buildDocument, fullBuild, withBuild } from '../fixtures/build.ts'
import { type ClaimDocument, claim, compositeOf, knativeClaim } from '../fixtures/claims.ts'
import { ControlLoop, readError, writeError } from '../fixtures/control-loop.ts'
import { fullMesh, gateways, styles, withMesh } from '../fixtures/mesh.ts'
import { withObservability } from '../fixtures/observability.ts'

const filters = [{ exact: { type: 'order.created' } }]
const eventing = {
  kafka: { bootstrapServers: ['kafka:9092'], topics: ['orders'] },
  broker: { create: true },
  triggers: [{ name: 'created', filters }],
}

function resolve(document: ClaimDocument, platform = builtInPlatform) {
  const parsed = parseClaim(document, platform)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  return parsed.claim
}

const failed = (error: string): JsonObject => ({
  type: 'Synced',
  status: 'False',
  reason: 'ReconcileError',
  message: `cannot compose resources: ${error}`,
})
const compositeWith = (...conditions: readonly JsonObject[]): JsonObject => ({ status: { conditions } })
const reasonsOf = ({ conditions }: Composition) => conditions.map(({ type, reason }) => `${type} ${reason}`)

const meshed = styles.map(style => ({ document: claim({ mesh: fullMesh }), platform: withMesh({ gateway: gateways[style] }) }))
const plain = [claim({ httpPort: 8080, eventing }), knativeClaim({ eventing })].map(document => ({ document, platform: builtInPlatform }))
const watched = (['ConfigMap', 'GrafanaDashboard'] as const).map(dashboards => ({
  document: knativeClaim(),
  platform: withObservability({ dashboards }),
}))

const builds = [buildDocument(), buildDocument(fullBuild)].map(document => ({ document, platform: withBuild() }))

/** Each resource of claims that together have every kind. */
const resources = [...plain, ...meshed, ...watched, ...builds].flatMap(({ document, platform }) => {
  const of = resolve(document, platform)
  const composed = compose(of, builtInPlatform, {}).resources
  const free = Object.fromEntries(composed.map(({ key }) => [key, undefined]))
  return composed.map(one => ({ ...one, of, kind: kindKey(one.manifest), others: Object.keys(free).filter(key => key !== one.key), free }))
})

test('every kind of every capability is among the resources', () => {
  const kinds = (of: readonly Capability[]) => new Set(of.flatMap(({ kinds }) => kinds.map(kindKey)))
  expect(new Set(resources.map(({ kind }) => kind))).toEqual(kinds(capabilities))
})

describe.each(resources)('a forbidden $kind ($key)', ({ key, of, manifest, condition, others, free }) => {
  const role =
    capabilities.find(({ kinds }) => kinds.some(one => one.kind === manifest.kind && one.apiVersion === manifest.apiVersion))?.role.name ??
    ''

  test.each([
    { says: 'reading', error: readError(key) },
    { says: 'writing', error: writeError(key, manifest) },
  ])('is left out after $says failed, and the claim names the command that grants it', ({ error }) => {
    const { [key]: _, ...existing } = free
    const composite = compositeWith(failed(error))
    const result = compose(of, builtInPlatform, {}, { ...noLookup, canAsk: true, existing, composite })
    expect(result.resources.map(({ key }) => key)).toEqual(others)
    expect(result.nameQueries.map(({ key }) => key)).toEqual(others)
    expect(result.complete).toBe(false)
    const said = result.conditions.find(({ type }) => type === typeOf(condition))
    expect(said).toMatchObject({ ready: false, reason: 'KindForbidden' })
    expect(said?.message).toContain(`${manifest.kind} ${manifest.metadata.name} can't be created: Crossplane may not manage `)
    expect(said?.message).toContain(`${grantCommand(role)}.`)
    expect(reasonsOf(result).filter(one => one.endsWith('KindForbidden'))).toHaveLength(1)
  })

  test('stays left out in the next call, which has no error', () => {
    const { [key]: _, ...existing } = free
    const lookup = { ...noLookup, canAsk: true, existing }
    const [first] = compose(of, builtInPlatform, {}, { ...lookup, composite: compositeWith(failed(readError(key))) }).conditions.filter(
      ({ reason }) => reason === 'KindForbidden',
    )
    if (first === undefined) throw new Error('nothing is said')
    const { type, reason, message } = first
    const synced = { type: 'Synced', status: 'True', reason: 'ReconcileSuccess', message: '' }
    const composite = compositeWith(synced, { type, status: 'False', reason, message })
    const next = compose(of, builtInPlatform, {}, { ...lookup, composite })
    expect(next.resources.map(({ key }) => key)).toEqual(others)
    expect(next.conditions).toContainEqual(first)
    // Asked for again, once its process says so.
    const again = compose(of, builtInPlatform, {}, { ...lookup, composite, access: new Map([[kindKey(manifest), true]]) })
    expect(again.nameQueries.map(({ key }) => key)).toContain(key)
  })
})

describe('an error of Crossplane that is not about permissions', () => {
  const of = resolve(claim())
  test.each([
    {
      says: 'a missing CRD',
      error:
        'fetching resources for scaledobject: cannot get required resource by name: no matches for kind "ScaledObject" in version "keda.sh/v1alpha1"',
    },
    {
      says: 'a webhook',
      error:
        'cannot apply composed resource "scaledobject": admission webhook "vscaledobject.kb.io" denied the request: the workload is already managed',
    },
    {
      says: 'a quota',
      error:
        'cannot apply composed resource "scaledobject": scaledobjects.keda.sh "a" is forbidden: exceeded quota: team, requested: count/scaledobjects.keda.sh=1',
    },
    { says: 'a resource of another function', error: readError('other-scaledobject') },
  ])('leaves out nothing: $says', ({ error }) => {
    const result = compose(of, builtInPlatform, {}, { ...noLookup, canAsk: true, composite: compositeWith(failed(error)) })
    expect(result.forbiddenKinds).toEqual([])
    expect(result.nameQueries.map(({ key }) => key)).toContain('scaledobject')
  })
})

test('a condition says all its forbidden kinds once, with each command once', () => {
  const of = resolve(claim({ eventing }))
  const access = new Map([
    ['Broker.eventing.knative.dev/v1', false],
    ['Trigger.eventing.knative.dev/v1', false],
  ])
  const { conditions } = compose(of, builtInPlatform, {}, { ...noLookup, canAsk: true, access })
  expect(conditions.find(({ type }) => type === 'EventingReady')?.message).toMatch(
    /^Broker \S+ and Trigger \S+ can't be created: Crossplane may not manage brokers\.eventing\.knative\.dev and triggers\.eventing\.knative\.dev\. Ask the platform team to grant it: kubectl apply -f package\/runtime\/rbac\/eventing\.yaml\. /,
  )
})

const PDB = 'PodDisruptionBudget'
const MINUTE = 60_000

/** A process of the function with a clock, and claims that it answers. */
function processWith(...names: readonly string[]) {
  let time = 0
  let answer = sharingRunFunction(createForbiddenKinds(() => time))
  const loops = names.map(name => new ControlLoop(claim({}, { name }), (request, withOwners) => answer(request, withOwners)))
  const said = (loop: ControlLoop) => observedCondition(loop.composite, 'AvailabilityReady')?.reason
  return {
    loops,
    said,
    /** Restarts the process, which then knows nothing. */
    restart: () => {
      answer = sharingRunFunction(createForbiddenKinds(() => time))
    },
    /** Calls for every claim once a minute, and counts the calls that failed. */
    run: (minutes: number): number => {
      let failures = 0
      for (let minute = 0; minute < minutes; minute++, time += MINUTE)
        for (const loop of loops) {
          loop.reconcile()
          for (const key of loop.objects.keys()) loop.becomesReady(key)
          if (loop.error !== undefined) failures++
        }
      return failures
    },
  }
}

test('crossplane render, which calls once, gets everything', () => {
  const answer = sharingRunFunction(createForbiddenKinds())
  const keysOf = (composite: JsonObject) => {
    const observed = { composite: { resource: composite, connectionDetails: {}, ready: 0 }, resources: {} }
    const first = answer({ ...RunFunctionRequest.fromPartial({}), observed })
    const requiredResources = Object.fromEntries(Object.keys(first.requirements?.resources ?? {}).map(key => [key, { items: [] }]))
    return Object.keys(answer({ ...RunFunctionRequest.fromPartial({}), observed, requiredResources }).desired?.resources ?? {})
  }
  const composite = compositeOf(claim())
  expect(keysOf(composite)).toContain('poddisruptionbudget')
  expect(keysOf({ ...composite, metadata: { ...(composite.metadata as JsonObject), finalizers: ['a'] } })).toEqual([
    'serviceaccount',
    'deployment',
    'service',
  ])
})

describe('while a kind is forbidden', () => {
  test('the rest of a new claim is applied before Crossplane is asked for the kind', () => {
    const { loops } = processWith('orders')
    const [loop] = loops as [ControlLoop]
    loop.unreadableKinds.add(PDB)
    loop.reconcile()
    expect(loop.error).toBeUndefined()
    expect([...loop.objects.keys()]).toContain('deployment')
    for (let call = 0; call < 3; call++) loop.reconcile()
    expect([...loop.objects.keys()]).toEqual(['serviceaccount', 'deployment', 'service', 'scaledobject'])
    expect(observedCondition(loop.composite, 'AvailabilityReady')).toMatchObject({ status: 'False', reason: 'KindForbidden' })
  })

  test('one claim asks every ten minutes, and the others never', () => {
    const { loops, said, run } = processWith('orders', 'billing', 'search')
    for (const loop of loops) loop.unreadableKinds.add(PDB)
    run(4)
    expect(loops.map(said)).toEqual(['KindForbidden', 'KindForbidden', 'KindForbidden'])
    expect(run(10)).toBeLessThanOrEqual(1)
    const failures = run(100)
    expect([failures >= 8, failures <= 10]).toEqual([true, true])
    expect(loops.map(said)).toEqual(['KindForbidden', 'KindForbidden', 'KindForbidden'])
  })

  test('a change of the claim is applied at once', () => {
    const { loops, run } = processWith('orders')
    const [loop] = loops as [ControlLoop]
    loop.unreadableKinds.add(PDB)
    run(5)
    loop.claim = claim({ image: 'ghcr.io/acme/orders-worker:2.0.0' }, { name: 'orders' })
    loop.reconcile()
    expect(JSON.stringify(loop.objects.get('deployment'))).toContain('orders-worker:2.0.0')
  })

  test('a restarted process asks once and no more', () => {
    const { loops, said, run, restart } = processWith('orders', 'billing')
    for (const loop of loops) loop.unreadableKinds.add(PDB)
    run(5)
    restart()
    expect(run(9)).toBe(1)
    expect(loops.map(said)).toEqual(['KindForbidden', 'KindForbidden'])
  })

  test('a kind that Crossplane may read but not write fails one call of each claim', () => {
    const { loops, said, run } = processWith('orders', 'billing')
    for (const loop of loops) loop.unwritableKinds.add(PDB)
    run(5)
    expect(loops.map(said)).toEqual(['KindForbidden', 'KindForbidden'])
    expect(run(9)).toBeLessThanOrEqual(1)
    expect(run(100)).toBeLessThanOrEqual(10)
  })
})

test.each(['unreadableKinds', 'unwritableKinds'] as const)(
  'all claims are complete within eleven minutes after the role is granted (%s)',
  kinds => {
    const { loops, run } = processWith('orders', 'billing', 'search')
    for (const loop of loops) loop[kinds].add(PDB)
    run(5)
    for (const loop of loops) loop[kinds].clear()
    expect(run(11)).toBe(0)
    run(2)
    expect(loops.map(loop => loop.reconcile().ready)).toEqual([true, true, true])
  },
)

test('all forbidden kinds are created soon after their roles are granted together', () => {
  const { loops, run } = processWith('orders', 'billing')
  for (const loop of loops) {
    loop.claim = claim({ eventing }, { name: String(loop.claim.metadata.name) })
    for (const kind of [PDB, 'ScaledObject', 'Broker', 'Trigger', 'KafkaSource']) loop.unreadableKinds.add(kind)
  }
  run(30)
  for (const loop of loops) loop.unreadableKinds.clear()
  expect(run(20)).toBe(0)
  run(2)
  expect(loops.map(loop => loop.objects.size)).toEqual([8, 8])
})

describe('two processes that take turns, as the two pods of the function do', () => {
  /** Crossplane sends each call to the next pod, and gives up after six calls of which no two ask the same. */
  function twoProcesses() {
    let time = 0
    let calls = 0
    const processes = [1, 2].map(() => sharingRunFunction(createForbiddenKinds(() => time)))
    const answer = (...[request, withOwners]: Parameters<(typeof processes)[0]>) => {
      const process = processes[calls++ % processes.length]
      if (process === undefined) throw new Error('no process')
      return process(request, withOwners)
    }
    return {
      loop: (name: string, spec: JsonObject = {}) => new ControlLoop(claim(spec, { name }), answer),
      /** Whose turn it is. */
      skip: () => calls++,
      wait: (minutes: number) => {
        time += minutes * MINUTE
      },
    }
  }

  test.each([0, 1])('agree on a new claim when only one has seen Crossplane read a kind (%s calls before)', skipped => {
    const { loop, skip } = twoProcesses()
    const first = loop('orders')
    for (let call = 0; call < 4; call++) first.reconcile()
    for (let count = 0; count < skipped; count++) skip()
    const second = loop('billing', { httpPort: 8080 })
    second.reconcile()
    second.reconcile()
    expect([...second.objects.keys()]).toEqual(expect.arrayContaining(['deployment', 'scaledobject', 'poddisruptionbudget']))
  })

  test.each([PDB, 'ScaledObject'])('agree while %s is forbidden, and after it is granted', kind => {
    const { loop, wait } = twoProcesses()
    const loops = ['orders', 'billing', 'search'].map(name => loop(name))
    const run = (minutes: number) => {
      let failures = 0
      for (let minute = 0; minute < minutes; minute++, wait(1))
        for (const loop of loops) {
          loop.reconcile()
          for (const key of loop.objects.keys()) loop.becomesReady(key)
          if (loop.error !== undefined) failures++
        }
      return failures
    }
    for (const loop of loops) loop.unreadableKinds.add(kind)
    run(10)
    expect(run(100)).toBeLessThanOrEqual(20)
    for (const loop of loops) loop.unreadableKinds.clear()
    expect(run(25)).toBe(0)
    expect(loops.map(loop => loop.reconcile().ready)).toEqual([true, true, true])
  })
})
