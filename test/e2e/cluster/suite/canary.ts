// A canary in the mesh, from its first pod to its promotion. The kinds of Istio are only stored: no sidecar routes here, so the tests
// compare each route with the pods behind it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, isObject, items, type JsonObject, textOf } from '../../../../src/kubernetes/json.ts'
import { moduleSources } from '../../go-tools.ts'
import { becomes, createNamespace, deleteClaim, deploymentOf, ready, scaledObjectOf, worker } from '../claim.ts'
import { manifests } from '../cluster.ts'
import { ownPlatform } from './platform.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'canary'
const STREAM = 'CANARY'
const [STABLE, NEXT] = ['ghcr.io/acme/web:1.0.0', 'ghcr.io/acme/web:2.0.0']
const LOOK_MS = 50

const platform = ownPlatform('mesh')
const mesh = (canary?: JsonObject): JsonObject => ({ mesh: { hosts: ['web.example.com'], ...(canary && { canary }) } })
const claimWith = (image: string, canary?: JsonObject) =>
  worker(NAMESPACE, 'web', STREAM, {
    ...platform.choice,
    image,
    httpPort: 8080,
    scaling: { minReplicas: 2, maxReplicas: 4, lagThreshold: 5 },
    ...mesh(canary),
  })
const plain = claimWith(STABLE)
const canaryDeployment = { ...deploymentOf(plain), name: 'web-canary' }
const routes = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', namespace: NAMESPACE }

const imageOf = (deployment: JsonObject | undefined) => at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image')

export function releasesCanaries(given: () => Setting): void {
  describe('a canary', () => {
    let watched: Watched | undefined
    const unserved = () => watched?.unserved ?? ['nobody looked']
    const setUnschedulable = (unschedulable: boolean) =>
      given().cluster.api.patch({ apiVersion: 'v1', kind: 'Node', name: 'kwok-node-a' }, { spec: { unschedulable } })
    const weights = async () => Object.fromEntries((await destinations(given())).map(({ service, weight }) => [service, weight]))
    const reaches = (expected: Readonly<Record<string, number>>) =>
      given().cluster.until(`the weights are ${JSON.stringify(expected)}`, async () => {
        expect(await weights()).toEqual(expected)
        return true
      })

    beforeAll(async () => {
      const { cluster, nats } = given()
      const crds = join(await moduleSources('crossplane/mesh', 'istio.io/api'), 'kubernetes/customresourcedefinitions.gen.yaml')
      await cluster.applyAll(manifests(readFileSync(crds, 'utf8')))
      // Crossplane remembers a kind as unknown if it looks for it before that.
      await cluster.kubectl(['wait', '--for=condition=Established', 'customresourcedefinitions', '--all', '--timeout=60s'])
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      await nats.createConsumer(STREAM, 'web')
      await platform.create(given(), {
        mesh: { gateway: { style: 'Istio', name: 'gateway', namespace: 'istio-ingress' }, hostSuffixes: ['.example.com'] },
      })
      await cluster.api.apply(plain)
      await ready(cluster, plain)
      watched = watchRoutes(given())
    })
    afterAll(async () => {
      await watched?.stop()
      await setUnschedulable(false)
      await deleteClaim(given().cluster, plain)
      await platform.remove(given())
    })

    test('gets no request before its pods are available', async () => {
      const { cluster } = given()
      await setUnschedulable(true)
      await cluster.api.apply(claimWith(STABLE, { image: NEXT, weight: 20 }))
      await cluster.until('its Deployment exists', () => cluster.api.find(canaryDeployment))
      await becomes(cluster, plain, 'MeshReady', 'False')
      expect(await weights()).toEqual({ web: 100, 'web-canary': 0 })
      await becomes(cluster, plain, 'WorkloadReady', 'True')
      await setUnschedulable(false)
      await reaches({ web: 80, 'web-canary': 20 })
      await ready(cluster, plain)
    })

    test('is not scaled: KEDA scales the stable Deployment only', async () => {
      const { api } = given().cluster
      const scaled = await api.list({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', namespace: NAMESPACE })
      expect(scaled.map(object => at(object, 'spec', 'scaleTargetRef', 'name'))).toEqual(['web'])
      expect(scaledObjectOf(plain).name).toBe(at(scaled[0], 'metadata', 'name'))
    })

    test('is taken away without a change of the stable pods', async () => {
      const { cluster } = given()
      const before = at(await cluster.api.get(deploymentOf(plain)), 'spec', 'template')
      await cluster.api.apply(plain)
      await cluster.until('its Deployment is gone', async () => (await cluster.api.find(canaryDeployment)) === undefined)
      await reaches({ web: 100 })
      expect(at(await cluster.api.get(deploymentOf(plain)), 'spec', 'template')).toEqual(before)
      expect(unserved()).toEqual([])
    })

    test('is promoted, and every route leads to a ready pod at all times', async () => {
      const { cluster } = given()
      await cluster.api.apply(claimWith(STABLE, { image: NEXT, weight: 100 }))
      await reaches({ web: 0, 'web-canary': 100 })
      await ready(cluster, plain)
      await cluster.api.apply(claimWith(NEXT))
      await cluster.until('its Deployment is gone', async () => (await cluster.api.find(canaryDeployment)) === undefined)
      await reaches({ web: 100 })
      const stable = await cluster.api.get(deploymentOf(plain))
      expect(imageOf(stable)).toBe(NEXT)
      expect(observedCondition(stable, 'Available')?.status).toBe('True')
      await ready(cluster, plain)
      expect(unserved()).toEqual([])
      cluster.say(`every route led to a ready pod, looked at ${watched?.looks() ?? 0} times`)
    })
  })
}

interface Destination {
  readonly service: string
  readonly weight: number
}

/** The Services to which the VirtualService sends requests. */
const destinationsIn = (route: JsonObject | undefined): readonly Destination[] =>
  items(at(route, 'spec', 'http'))
    .flatMap(http => items(at(http, 'route')))
    .map(to => ({ service: textOf(at(to, 'destination', 'host')).split('.')[0] ?? '', weight: Number(at(to, 'weight') ?? 100) }))

const destinations = async ({ cluster: { api } }: Setting) => destinationsIn((await api.list(routes))[0])

interface Watched {
  readonly looks: () => number
  /** What was wrong at a look, and when. */
  readonly unserved: readonly string[]
  readonly stop: () => Promise<void>
}

/** Looks all the time whether each Service that gets requests has a ready pod. */
function watchRoutes({ cluster: { api } }: Setting): Watched {
  const unserved: string[] = []
  let [looks, isOver] = [0, false]

  async function look(): Promise<void> {
    const [route] = await api.list(routes)
    const [services, pods] = await Promise.all(['Service', 'Pod'].map(kind => api.list({ apiVersion: 'v1', kind, namespace: NAMESPACE })))
    const [after] = await api.list(routes)
    // A route that changed meanwhile belongs to other pods.
    if (at(route, 'metadata', 'resourceVersion') !== at(after, 'metadata', 'resourceVersion')) return
    looks++
    for (const { service, weight } of destinationsIn(route)) {
      const selector = at(
        services?.find(({ metadata }) => at(metadata, 'name') === service),
        'spec',
        'selector',
      )
      const behind = pods?.filter(
        pod => isObject(selector) && hasLabels(pod, selector) && observedCondition(pod, 'Ready')?.status === 'True',
      )
      if (weight > 0 && behind?.length === 0) unserved.push(`${new Date().toISOString()}: ${service} gets ${weight} % and has no ready pod`)
    }
  }
  const watching = (async () => {
    while (!isOver) {
      await look()
      await delay(LOOK_MS)
    }
  })()
  return {
    looks: () => looks,
    unserved,
    stop: async () => {
      isOver = true
      await watching
    },
  }
}

const hasLabels = (pod: JsonObject, labels: JsonObject) =>
  Object.entries(labels).every(([name, value]) => at(pod, 'metadata', 'labels', name) === value)
