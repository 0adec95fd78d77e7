// A canary from its first pod to its promotion or its end.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { at, items, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { findingsMessage } from '../../../src/reconcile/conditions.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { claim, RUNS } from '../../fixtures/claims.ts'
import { gateways, type Style, styles, withMesh } from '../../fixtures/mesh.ts'

const OLD = 'ghcr.io/acme/orders:1'
const NEW = 'ghcr.io/acme/orders:2'
const second = (weight: number, match?: Json): JsonObject => ({ canary: { image: NEW, weight, ...(match !== undefined && { match }) } })
const BETA = [{ header: 'X-Beta', value: 'true' }]

/** A cluster with one claim: Crossplane applies what the function answers, and the pods start when the test says so. */
class Cluster {
  objects: Record<string, JsonObject> = {}
  #spec: JsonObject = {}
  readonly style: Style

  constructor(style: Style = 'Istio') {
    this.style = style
    this.claims(OLD)
  }

  claims(image: string, mesh: JsonObject = {}): this {
    this.#spec = { image, nats: undefined, httpPort: 8080, mesh: { hosts: ['orders.example.com'], ...mesh } }
    return this
  }

  without(field: string): this {
    this.#spec = { ...this.#spec, [field]: undefined }
    return this
  }

  compose() {
    const platform = withMesh({ gateway: gateways[this.style] })
    const parsed = parseClaim(claim(this.#spec, { name: 'orders' }), platform)
    if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
    return compose(parsed.claim, platform, this.objects)
  }

  /** One call, applied. */
  reconcile() {
    const composition = this.compose()
    const before = this.objects
    this.objects = Object.fromEntries(
      composition.resources.map(({ key, manifest }) => {
        const observed = before[key]
        const isSame = JSON.stringify(observed?.spec) === JSON.stringify(manifest.spec)
        const generation = Number(at(observed, 'metadata', 'generation') ?? 0) + (isSame ? 0 : 1)
        return [
          key,
          {
            ...manifest,
            metadata: { ...manifest.metadata, generation },
            ...(observed?.status !== undefined && { status: observed.status }),
          },
        ]
      }),
    )
    return composition
  }

  #reports(key: string, available: number, conditions: Json): this {
    const object = this.objects[key]
    if (object === undefined) return this
    const replicas = Number(at(object, 'spec', 'replicas') ?? 1)
    const generation = at(object, 'metadata', 'generation') ?? 1
    const status = { observedGeneration: generation, replicas, updatedReplicas: replicas, availableReplicas: available, conditions }
    this.objects = { ...this.objects, [key]: { ...object, status } }
    return this
  }

  serves(key: string): this {
    return this.#reports(key, 1, [{ type: 'Available', status: 'True' }])
  }

  breaks(key: string): this {
    return this.#reports(key, 0, [{ type: 'Available', status: 'False' }])
  }

  has = (key: string) => this.objects[key] !== undefined
}

const STABLE = 'deployment'
const CANARY = 'canary-deployment'

interface Share {
  readonly to: string
  readonly weight: number
  readonly when: string
}

/** The shares of a VirtualService or an HTTPRoute. */
function sharesOf(route: JsonObject | undefined): Share[] {
  const whens = (rule: Json) => (at(rule, 'match') ?? at(rule, 'matches')) !== undefined
  return [...items(at(route, 'spec', 'http')), ...items(at(route, 'spec', 'rules'))].flatMap(rule =>
    [...items(at(rule, 'route')), ...items(at(rule, 'backendRefs'))].map(to => ({
      to: String(at(to, 'destination', 'host') ?? at(to, 'name')).split('.')[0] ?? '',
      weight: Number(at(to, 'weight')),
      when: whens(rule) ? 'header' : 'always',
    })),
  )
}
const routesIn = (objects: Readonly<Record<string, JsonObject>>) =>
  ['mesh-virtual-service', 'mesh-http-route'].flatMap(key => (objects[key] ? [sharesOf(objects[key])] : []))
const shown = (shares: readonly Share[] = []) =>
  shares.map(({ to, weight, when }) => `${to} ${weight}${when === 'header' ? ' by header' : ''}`)

/** A claim whose stable Deployment serves. */
function running(style?: Style): Cluster {
  const cluster = new Cluster(style)
  cluster.reconcile()
  return cluster.serves(STABLE)
}

/** The same with a canary that serves. */
function split(weight: number, style?: Style): Cluster {
  const cluster = running(style).claims(OLD, second(weight, BETA))
  cluster.reconcile()
  cluster.serves(CANARY).reconcile()
  return cluster
}

describe.each(styles)('with a gateway of style %s', style => {
  const routesOf = (cluster: Cluster) => [...new Set(routesIn(cluster.objects).map(shares => shown(shares).join()))]

  test('a canary gets nothing before it is available, by weight or by header', () => {
    const cluster = running(style).claims(OLD, second(10, BETA))
    cluster.reconcile()
    expect(routesOf(cluster)).toEqual(['orders 100,orders-canary 0'])
    cluster.breaks(CANARY).reconcile()
    expect(routesOf(cluster)).toEqual(['orders 100,orders-canary 0'])
  })

  test('an available canary gets its share, and its headers all', () => {
    expect(routesOf(split(10, style))).toEqual(['orders-canary 100 by header,orders 90,orders-canary 10'])
  })

  test('a canary that fails later gets nothing any more', () => {
    const cluster = split(10, style).breaks(CANARY)
    cluster.reconcile()
    expect(routesOf(cluster)).toEqual(['orders 100,orders-canary 0'])
  })

  test('an abort moves the routes first, and deletes the canary after', () => {
    const cluster = split(100, style).claims(OLD)
    cluster.reconcile()
    expect([routesOf(cluster), cluster.has(CANARY), cluster.has('canary-service')]).toEqual([['orders 100'], true, true])
    cluster.reconcile()
    expect([routesOf(cluster), cluster.has(CANARY), cluster.has('canary-service')]).toEqual([['orders 100'], false, false])
  })

  test('a promotion keeps the routes until the stable Deployment has rolled out, so nobody sees the old version again', () => {
    const cluster = split(100, style).claims(NEW)
    const { resources } = cluster.reconcile()
    const before = ['orders-canary 100 by header,orders 0,orders-canary 100']
    expect(routesOf(cluster)).toEqual(before)
    expect(resources.find(({ key }) => key === CANARY)?.readiness).toMatchObject({
      ready: false,
      reason: 'CanaryLeaving',
      message: 'The canary serves until Deployment orders has rolled out, and is then deleted.',
    })
    cluster.reconcile()
    expect(routesOf(cluster)).toEqual(before)
    cluster.serves(STABLE).reconcile()
    expect([routesOf(cluster), cluster.has(CANARY)]).toEqual([['orders 100'], true])
    cluster.reconcile()
    expect([routesOf(cluster), cluster.has(CANARY)]).toEqual([['orders 100'], false])
  })

  test('a promotion does not wait for a canary that no longer works', () => {
    const cluster = split(100, style).breaks(CANARY).claims(NEW)
    cluster.reconcile()
    expect(routesOf(cluster)).toEqual(['orders 100'])
  })
})

test('a canary never blocks the workload', () => {
  const cluster = running().claims(OLD, second(10))
  cluster.reconcile()
  const { conditions } = cluster.breaks(CANARY).compose()
  expect(conditions.map(({ type, ready }) => [type, ready])).toContainEqual(['WorkloadReady', true])
  expect(conditions.map(({ type, ready }) => [type, ready])).toContainEqual(['MeshReady', false])
})

test('the scaler scales the stable Deployment only', () => {
  const platform = withMesh()
  const parsed = parseClaim(claim({ mesh: second(10) }), platform)
  if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
  const { resources } = compose(parsed.claim, platform, {})
  const scalers = resources.filter(({ manifest }) => manifest.kind === 'ScaledObject')
  expect(scalers.map(({ manifest }) => at(manifest, 'spec', 'scaleTargetRef', 'name'))).toEqual(['orders-worker'])
  const disrupted = resources.find(({ key }) => key === 'poddisruptionbudget')
  expect(at(disrupted?.manifest, 'spec', 'selector', 'matchLabels')).toEqual({ 'app.kubernetes.io/name': 'orders-worker' })
})

test('a claim that leaves the mesh keeps its canary as long as its routes exist', () => {
  const cluster = split(100).without('mesh')
  cluster.reconcile()
  expect([cluster.has('mesh-virtual-service'), cluster.has(CANARY)]).toEqual([false, true])
  cluster.reconcile()
  expect(cluster.has(CANARY)).toBe(false)
})

type Step = (cluster: Cluster) => void
const steps: Readonly<Record<string, Step>> = {
  'a canary of 10': cluster => cluster.claims(OLD, second(10)),
  'a canary of 100': cluster => cluster.claims(OLD, second(100)),
  'a canary by header': cluster => cluster.claims(OLD, second(0, BETA)),
  promoted: cluster => cluster.claims(NEW),
  aborted: cluster => cluster.claims(OLD),
  'leaves the mesh': cluster => cluster.without('mesh'),
  'the canary serves': cluster => cluster.serves(CANARY),
  'the canary breaks': cluster => cluster.breaks(CANARY),
  'the stable rolls out': cluster => cluster.serves(STABLE),
  'the stable breaks': cluster => cluster.breaks(STABLE),
  'the routes are deleted by hand': cluster => {
    const { 'mesh-virtual-service': _, ...objects } = cluster.objects
    cluster.objects = objects
  },
}

const isAvailable = (object: JsonObject | undefined) => at(object, 'status', 'conditions', 0, 'status') === 'True'

test.each(styles)('law: after any sequence of steps every route leads to a Service with pods (style %s)', style => {
  const sequence = fc.array(fc.constantFrom(...Object.keys(steps), 'reconcile', 'reconcile'), { minLength: 1, maxLength: 25 })
  fc.assert(
    fc.property(sequence, names => {
      const cluster = running(style)
      for (const name of names) {
        steps[name]?.(cluster)
        const before = cluster.objects
        const { resources } = cluster.compose()
        const desired = Object.fromEntries(resources.map(({ key, manifest }) => [key, manifest]))
        const leads = (objects: Readonly<Record<string, JsonObject>>) =>
          routesIn(objects).some(shares => shares.some(({ to, weight }) => to === 'orders-canary' && weight !== 0))
        // The stable workload is never touched.
        expect(Object.keys(desired)).toEqual(expect.arrayContaining([STABLE, 'service']))
        // Nobody is led to a canary that is not available, and no canary goes while a route that exists leads to it.
        if (leads(desired))
          expect([isAvailable(before[CANARY]), CANARY in desired, 'canary-service' in desired]).toEqual([true, true, true])
        if (leads(before)) expect([CANARY in desired, 'canary-service' in desired]).toEqual([true, true])
        // If only the canary can serve, nothing is taken away from it.
        const wereAll = routesIn(before).some(shares => shares.every(({ to, weight }) => to === 'orders-canary' || weight === 0))
        const isAsked = at(cluster.objects, CANARY) !== undefined
        if (wereAll && isAsked && isAvailable(before[CANARY]) && !isAvailable(before[STABLE]) && routesIn(desired).length > 0)
          for (const shares of routesIn(desired)) expect([name, leads(desired) || shares.length === 0]).toEqual([name, true])
        if (name === 'reconcile') cluster.reconcile()
      }
      // In the end a canary that nobody asks for is gone.
      cluster.claims(NEW)
      for (let call = 0; call < 3; call++) {
        cluster.serves(STABLE)
        cluster.reconcile()
      }
      expect(cluster.has(CANARY)).toBe(false)
      expect(routesIn(cluster.objects).map(shares => shown(shares).join())).not.toContain('orders-canary')
    }),
    { numRuns: Math.max(100, RUNS) },
  )
})
