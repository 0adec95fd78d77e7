// A running claim changes its runtime, call by call.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { type ClaimDocument, claim, RUNS } from '../fixtures/claims.ts'
import { ControlLoop } from '../fixtures/control-loop.ts'

const eventing = { triggers: [{ name: 'created', filter: { type: 'order.created' } }] }
const nats = { stream: 'ORDERS', consumer: 'orders' }
const asDeployment = claim({ eventing, nats, httpPort: 3000 }, { name: 'orders', namespace: 'shop' })
const asKnative = claim({ eventing, nats: undefined, runtime: 'Knative' }, { name: 'orders', namespace: 'shop' })

const shared = ['serviceaccount', 'broker', 'trigger-created', 'poddisruptionbudget']
const keysOf = { Deployment: [...shared, 'deployment', 'service', 'http-service', 'scaledobject'], Knative: [...shared, 'knative-service'] }

/** A claim that has run for a while. */
function running(document: ClaimDocument): ControlLoop {
  const loop = new ControlLoop(document)
  loop.reconcile()
  loop.becomesReady(...loop.objects.keys())
  expect(loop.reconcile()).toMatchObject({ ready: true })
  return loop
}

const subscriber = (object: JsonObject | undefined) =>
  at(object, 'spec', 'subscriber', 'ref', 'name') ?? at(object, 'spec', 'subscriber', 'uri')
const without = <T>(list: readonly T[], ...gone: T[]) => list.filter(item => !gone.includes(item))

/** Each stage continues from the previous one with its own claim, so that each test is independent. */
const toKnative = {
  requested() {
    const loop = running(asDeployment)
    loop.claim = asKnative
    return loop
  },
  standInCreated() {
    const loop = this.requested()
    loop.reconcile()
    return loop
  },
  standInReady() {
    return this.standInCreated().becomesReady('knative-service-switch')
  },
  rerouting() {
    const loop = this.standInReady()
    loop.reconcile()
    return loop
  },
  rerouted() {
    return this.rerouting().becomesReady('trigger-created')
  },
  oldDeleting() {
    const loop = this.rerouted()
    loop.reconcile()
    return loop
  },
  nameFree() {
    const loop = this.oldDeleting().isGone('service')
    loop.reconcile()
    return loop.isGone('deployment', 'scaledobject', 'http-service')
  },
  reroutingAgain() {
    const loop = this.nameFree().becomesReady('knative-service')
    loop.reconcile()
    return loop
  },
}

describe('from Deployment to Knative', () => {
  const old = ['deployment', 'service', 'http-service', 'scaledobject']

  test('creates a stand-in of another name; the old workload keeps running unchanged and receives the events', () => {
    const loop = toKnative.requested()
    const before = Object.fromEntries(loop.objects)
    const { keys, desired, ready, reason, message } = loop.reconcile()
    expect(keys.sort()).toEqual([...keysOf.Deployment, 'knative-service-switch'].sort())
    expect(at(desired.get('knative-service-switch'), 'metadata', 'name')).toBe('orders-switch')
    expect(subscriber(desired.get('trigger-created'))).toBe('http://orders.shop.svc:8080/')
    for (const key of old) expect(loop.objects.get(key), key).toEqual(before[key])
    expect(ready).toBe(false)
    expect(reason).toBe('Switching')
    expect(message).toBe('Deployment orders keeps serving until the new Knative Service is ready. It is being created.')
  })

  test('desires the old Deployment unchanged, except for the replica count that KEDA owns', () => {
    const loop = toKnative.standInCreated()
    const { replicas: _, ...spec } = (loop.objects.get('deployment')?.spec ?? {}) as JsonObject
    expect(loop.reconcile().desired.get('deployment')?.spec).toEqual(spec)
  })

  test('moves nothing while the new workload is not ready, and the claim says why', () => {
    const loop = toKnative.standInCreated().becomesUnready('knative-service-switch')
    const { keys, desired, message } = loop.reconcile()
    expect(keys).toEqual(expect.arrayContaining(old))
    expect(subscriber(desired.get('trigger-created'))).toBe('http://orders.shop.svc:8080/')
    expect(message).toContain('Deployment orders keeps serving until the new Knative Service is ready.')
    expect(message).toContain('Knative Service orders-switch is not ready: broken.')
  })

  test('reroutes events when the stand-in is ready, and keeps the old workload until every Trigger has moved', () => {
    const { keys, desired, message } = toKnative.standInReady().reconcile()
    expect(subscriber(desired.get('trigger-created'))).toBe('orders-switch')
    expect(keys).toEqual(expect.arrayContaining(old))
    expect(message).toBe('The new Knative Service is ready. Waiting for these to be rerouted to it: trigger-created.')
  })

  test('does not count a Trigger as moved before its controller has observed the change', () => {
    expect(toKnative.rerouting().reconcile().keys).toEqual(expect.arrayContaining(old))
  })

  test('deletes the old workload when the Trigger has moved, and waits for its name', () => {
    const { keys, message, ready } = toKnative.rerouted().reconcile()
    expect(keys.sort()).toEqual([...shared, 'knative-service-switch'].sort())
    expect(ready).toBe(false)
    expect(message).toBe('The new Knative Service serves as orders-switch until Deployment orders has been deleted.')
  })

  test('creates the Knative Service of the claim’s name when the name is free', () => {
    const loop = toKnative.oldDeleting().isGone('service')
    expect(loop.reconcile().keys.sort()).toEqual([...keysOf.Knative, 'knative-service-switch'].sort())
  })

  test('reroutes events once more when that one is ready, and keeps the stand-in until they have moved', () => {
    const { desired, keys } = toKnative.nameFree().becomesReady('knative-service').reconcile()
    expect(subscriber(desired.get('trigger-created'))).toBe('orders')
    expect(keys).toContain('knative-service-switch')
  })

  test('ends without the stand-in', () => {
    const loop = toKnative.reroutingAgain().becomesReady('trigger-created')
    const last = loop.reconcile()
    expect(last.keys.sort()).toEqual(keysOf.Knative.sort())
    expect(last).toMatchObject({ ready: true, reason: 'Ready' })
    loop.isGone('knative-service-switch')
    expect(loop.reconcile().keys.sort()).toEqual(keysOf.Knative.sort())
  })
})

const toDeployment = {
  requested() {
    const loop = running(asKnative)
    loop.claim = asDeployment
    return loop
  },
  created() {
    const loop = this.requested()
    loop.reconcile()
    return loop
  },
  ready() {
    return this.created().becomesReady('deployment', 'scaledobject')
  },
  rerouting() {
    const loop = this.ready()
    loop.reconcile()
    return loop
  },
  nameFree() {
    const loop = this.rerouting().becomesReady('trigger-created')
    loop.reconcile()
    return loop.isGone('knative-service')
  },
  reroutingAgain() {
    const loop = this.nameFree()
    loop.reconcile()
    loop.reconcile()
    return loop
  },
}

describe('from Knative to Deployment', () => {
  test('creates the Deployment and a stand-in Service; the Knative Service stays unchanged and receives the events', () => {
    const loop = toDeployment.requested()
    const before = loop.objects.get('knative-service')
    const { keys, desired, reason, message } = loop.reconcile()
    expect(keys.sort()).toEqual([...without(keysOf.Deployment, 'service'), 'service-switch', 'knative-service'].sort())
    expect(at(desired.get('service-switch'), 'metadata', 'name')).toBe('orders-switch')
    expect(subscriber(desired.get('trigger-created'))).toBe('orders')
    expect(loop.objects.get('knative-service')).toEqual(before)
    expect(reason).toBe('Switching')
    expect(message).toMatch(/^Knative Service orders keeps serving until the new Deployment is ready\./)
  })

  test('reroutes nothing to a Service whose Deployment is not ready', () => {
    const { keys, desired } = toDeployment.created().reconcile()
    expect(subscriber(desired.get('trigger-created'))).toBe('orders')
    expect(keys).toContain('knative-service')
  })

  test('reroutes events when the Deployment is ready, and keeps the Knative Service', () => {
    const { desired, keys } = toDeployment.ready().reconcile()
    expect(subscriber(desired.get('trigger-created'))).toBe('http://orders-switch.shop.svc:8080/')
    expect(keys).toContain('knative-service')
  })

  test('deletes the Knative Service when the Trigger has moved', () => {
    const loop = toDeployment.rerouting().becomesReady('trigger-created')
    const { keys } = loop.reconcile()
    expect(keys).not.toContain('knative-service')
    expect(keys).not.toContain('service')
    expect(loop.isLeaving('knative-service')).toBe(true)
  })

  test('creates the Service when its name is free, and then reroutes the events to it', () => {
    const loop = toDeployment.nameFree()
    expect(loop.reconcile().keys).toContain('service')
    const { desired, keys } = loop.reconcile()
    expect(subscriber(desired.get('trigger-created'))).toBe('http://orders.shop.svc:8080/')
    expect(keys).toContain('service-switch')
  })

  test('ends without the stand-in', () => {
    const last = toDeployment.reroutingAgain().becomesReady('trigger-created').reconcile()
    expect(last.keys.sort()).toEqual(keysOf.Deployment.sort())
    expect(last).toMatchObject({ ready: true, reason: 'Available' })
  })
})

test('a reverted switch returns from its current step', () => {
  const loop = running(asDeployment)
  loop.claim = asKnative
  loop.reconcile()
  loop.becomesReady('knative-service-switch')
  loop.reconcile()
  loop.becomesReady('trigger-created')
  loop.claim = asDeployment
  const { keys, desired } = loop.reconcile()
  expect(subscriber(desired.get('trigger-created'))).toBe('http://orders.shop.svc:8080/')
  expect(keys).toContain('knative-service-switch')
  loop.becomesReady('trigger-created')
  expect(loop.reconcile().keys.sort()).toEqual(keysOf.Deployment.sort())
})

test.each([
  { born: asDeployment, becomes: asKnative, main: 'deployment', to: 'http://orders.shop.svc:8080/' },
  { born: asKnative, becomes: asDeployment, main: 'knative-service', to: 'orders' },
])('a failing old $main keeps the events while the new one is not ready', ({ born, becomes, main, to }) => {
  const loop = running(born)
  loop.claim = becomes
  loop.reconcile()
  loop.becomesUnready(main)
  const { desired, keys } = loop.reconcile()
  expect(subscriber(desired.get('trigger-created'))).toBe(to)
  expect(keys).toContain(main)
})

describe('a new resource that cannot be created during the switch', () => {
  const kafka = { bootstrapServers: ['kafka:9092'], topics: ['orders'] }
  const named = { name: 'orders', namespace: 'shop' }
  const taken = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', metadata: { name: 'orders-paid', namespace: 'shop' }, spec: {} }

  test.each<{ says: string; added: JsonObject; unknown: string[]; others: JsonObject[] }>([
    { says: 'a KafkaSource with a missing CRD', added: { ...eventing, kafka }, unknown: ['KafkaSource'], others: [] },
    {
      says: 'a Trigger with a taken name',
      added: { triggers: [...eventing.triggers, { name: 'paid', filter: { type: 'order.paid' } }] },
      unknown: [],
      others: [taken],
    },
  ])('does not keep the switch from ending: $says', ({ added, unknown, others }) => {
    const loop = running(asDeployment)
    for (const kind of unknown) loop.unknownKinds.add(kind)
    loop.others.push(...others)
    loop.claim = claim({ eventing: added, nats: undefined, runtime: 'Knative' }, named)
    for (const ready of ['knative-service-switch', 'trigger-created']) {
      loop.reconcile()
      loop.becomesReady(ready)
    }
    loop.reconcile()
    loop.isGone('service', 'deployment', 'scaledobject', 'http-service')
    for (const ready of ['knative-service', 'trigger-created']) {
      loop.reconcile()
      loop.becomesReady(ready)
    }
    const last = loop.reconcile()
    expect(last.keys.sort()).toEqual([...keysOf.Knative].sort())
    expect(last.reason).toBe('Ready')
  })
})

test('does not switch back to a workload that is being deleted', () => {
  const loop = running(asDeployment)
  loop.claim = asKnative
  loop.reconcile()
  loop.becomesReady('knative-service-switch')
  loop.reconcile()
  loop.becomesReady('trigger-created')
  loop.reconcile()
  expect(loop.isLeaving('deployment') && loop.isLeaving('service')).toBe(true)
  loop.claim = asDeployment
  const { desired, keys } = loop.reconcile()
  expect(subscriber(desired.get('trigger-created'))).toBe('orders-switch')
  expect(keys).toContain('knative-service-switch')
})

describe('through provider-kubernetes', () => {
  const platform: Platform = { ...builtInPlatform, composeAs: 'ProviderKubernetes' }
  const run = (document: ClaimDocument, observed: Readonly<Record<string, JsonObject>>) => {
    const parsed = parseClaim(document, platform)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
    const { resources } = compose(parsed.claim, platform, observed)
    return Object.fromEntries(resources.map(({ key, desired }) => [key, desired]))
  }
  const manifestIn = (object: JsonObject | undefined) => at(object, 'spec', 'forProvider', 'manifest') as JsonObject
  /** Objects as the provider reports them, with their manifests. */
  const seen = (desired: Readonly<Record<string, JsonObject>>) =>
    Object.fromEntries(
      Object.entries(desired).map(([key, object]) => {
        const manifest = manifestIn(object)
        const status = { conditions: [{ type: manifest.kind === 'Deployment' ? 'Available' : 'Ready', status: 'True' }] }
        return [key, { ...object, metadata: { name: 'x' }, status: { atProvider: { manifest: { ...manifest, status } } } }]
      }),
    )

  test('keeps the old Objects as last desired', () => {
    const before = run(asDeployment, {})
    const after = run(asKnative, seen(before))
    expect(Object.keys(after).sort()).toEqual([...keysOf.Deployment, 'knative-service-switch'].sort())
    for (const key of ['deployment', 'service', 'http-service', 'scaledobject']) expect(after[key]).toEqual(before[key])
  })

  test('keeps the old workload until the manifest of each Trigger is seen', () => {
    const rerouting = run(asKnative, seen(run(asDeployment, {})))
    const rerouted = run(asKnative, seen(rerouting))
    const unseen = { ...seen(rerouted), 'trigger-created': { ...rerouted['trigger-created'], metadata: { name: 'x' } } }
    expect(subscriber(manifestIn(rerouted['trigger-created']))).toBe('orders-switch')
    expect(Object.keys(run(asKnative, unseen))).toContain('deployment')
    expect(Object.keys(run(asKnative, seen(rerouted)))).not.toContain('deployment')
  })

  test('does not switch back to a workload whose Object is being deleted, even if its manifest does not show that yet', () => {
    const rerouting = run(asKnative, seen(run(asDeployment, {})))
    const rerouted = seen(run(asKnative, seen(rerouting)))
    const metadata = { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' }
    const leaving = ['deployment', 'service', 'http-service', 'scaledobject'].map(key => [key, { ...rerouted[key], metadata }])
    const back = run(asDeployment, { ...rerouted, ...Object.fromEntries(leaving) })
    expect(subscriber(manifestIn(back['trigger-created']))).toBe('orders-switch')
    expect(Object.keys(back)).toContain('knative-service-switch')
  })
})

test('a new claim never gets a stand-in', () => {
  for (const document of [asDeployment, asKnative])
    expect(
      running(document)
        .reconcile()
        .keys.filter(key => key.endsWith('-switch')),
    ).toEqual([])
})

test('no step of a switch emits an event, because it is planned', () => {
  const loop = running(asDeployment)
  loop.claim = asKnative
  expect(loop.reconcile().results).toEqual([])
  expect(loop.reconcile().results).toEqual([])
})

describe('events in any order', () => {
  type Step = 'reconcile' | 'ready' | 'all ready' | 'unready' | 'gone' | 'all gone' | 'change'
  const steps = fc.array(
    fc.tuple(
      fc.constantFrom<Step>(
        'reconcile',
        'reconcile',
        'reconcile',
        'all ready',
        'all ready',
        'ready',
        'unready',
        'gone',
        'all gone',
        'change',
      ),
      fc.nat(),
    ),
    { maxLength: 60 },
  )
  /** The objects that a subscriber needs to answer. */
  const behind: Readonly<Record<string, readonly string[]>> = {
    'http://orders.shop.svc:8080/': ['service', 'deployment'],
    'http://orders-switch.shop.svc:8080/': ['service-switch', 'deployment'],
    orders: ['knative-service'],
    'orders-switch': ['knative-service-switch'],
  }
  const answers = (loop: ControlLoop, to: unknown) =>
    (behind[String(to)] ?? ['nothing']).every(key => loop.objects.has(key) && !loop.isLeaving(key))
  const works = (loop: ControlLoop, to: unknown) =>
    (behind[String(to)] ?? []).filter(key => /^(deployment|knative)/.test(key)).every(loop.isReady)
  const pick = (keys: readonly string[], index: number) => keys[index % Math.max(keys.length, 1)]

  /** Runs every pending step until nothing changes. */
  function settle(loop: ControlLoop): string[] {
    for (let round = 0; round < 20; round++) {
      loop.reconcile()
      for (const key of [...loop.objects.keys()]) if (loop.isLeaving(key)) loop.isGone(key)
      loop.becomesReady(...loop.objects.keys())
    }
    return loop.reconcile().keys
  }

  test('events always reach a workload, no two objects share a name, and the result equals that of a new claim', () => {
    fc.assert(
      fc.property(fc.constantFrom(asDeployment, asKnative), steps, (born, happened) => {
        const loop = running(born)
        for (const [step, index] of happened) {
          const keys = [...loop.objects.keys()]
          const leaving = pick(keys.filter(loop.isLeaving), index)
          const any = pick(keys, index)
          if (step === 'change') loop.claim = loop.claim === asDeployment ? asKnative : asDeployment
          else if (step === 'ready' && any) loop.becomesReady(any)
          else if (step === 'all ready') loop.becomesReady(...keys)
          else if (step === 'all gone') loop.isGone(...keys.filter(loop.isLeaving))
          else if (step === 'unready' && any && /^(deployment|knative|trigger)/.test(any)) loop.becomesUnready(any)
          else if (step === 'gone' && leaving) loop.isGone(leaving)
          else if (step === 'reconcile') {
            const there = { ...Object.fromEntries(loop.objects) }
            const target = subscriber(loop.objects.get('trigger-created'))
            const answered = answers(loop, target)
            const worked = answered && works(loop, target)
            const { ready, reason } = loop.reconcile()
            expect(ready && reason === 'Switching').toBe(false)
            if (answered) {
              expect(answers(loop, target), `the old target ${target} stays until the trigger is seen to have left it`).toBe(true)
              expect(answers(loop, subscriber(loop.objects.get('trigger-created'))), 'the new target is there').toBe(true)
            }
            if (worked) expect(works(loop, subscriber(loop.objects.get('trigger-created'))), 'the new target works').toBe(true)
            expect(there['knative-service'] !== undefined && there.service === undefined && loop.objects.has('service')).toBe(false)
            expect(there.service !== undefined && there['knative-service'] === undefined && loop.objects.has('knative-service')).toBe(false)
          }
        }
        const runtime = loop.claim === asDeployment ? 'Deployment' : 'Knative'
        expect(settle(loop).sort()).toEqual([...keysOf[runtime]].sort())
      }),
      { numRuns: RUNS },
    )
  })
})

describe('the Service that Knative created, which is deleted shortly after the Knative Service', () => {
  const of = (route: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'orders',
      namespace: 'shop',
      ownerReferences: [{ apiVersion: 'serving.knative.dev/v1', kind: 'Route', name: route, uid: 'route', controller: true }],
    },
  })
  const parsed = parseClaim(asDeployment, builtInPlatform)
  if (!parsed.ok) throw new Error('the claim is invalid')
  const reasonOf = (found: JsonObject, observed: Record<string, JsonObject>) => {
    const neighbours = {
      canAsk: true,
      canAskKinds: false,
      existing: { service: found },
      kinds: {},
      pods: {},
      composite: { metadata: { uid: 'own' } },
      adopt: false,
    }
    const { resources, waits, conditions } = compose(parsed.claim, builtInPlatform, observed, neighbours)
    return { made: resources.some(({ key }) => key === 'service'), waits, reason: conditions[0]?.reason }
  }
  const amid = { 'service-switch': { apiVersion: 'v1', kind: 'Service', metadata: { name: 'orders-switch', namespace: 'shop' } } }

  test('is not a name conflict during the switch', () => {
    expect(reasonOf(of('orders'), amid)).toEqual({ made: false, waits: true, reason: 'Switching' })
  })

  test('is a name conflict for a claim that does not switch, and so is the Service of another claim', () => {
    expect(reasonOf(of('orders'), {})).toEqual({ made: false, waits: false, reason: 'NameTaken' })
    expect(reasonOf(of('other'), amid)).toEqual({ made: false, waits: false, reason: 'NameTaken' })
  })
})
