// What the pods of a workload that is not ready say on the claim.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform, parsePlatform } from '../../src/platform/platform.ts'
import { type ClusterLookup, noLookup } from '../../src/reconcile/cluster-lookup.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { changedConditions, findingsMessage } from '../../src/reconcile/conditions.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { claim, knativeClaim } from '../fixtures/claims.ts'
import { podStates, statesOf } from '../fixtures/pods.ts'
import { conditions } from '../fixtures/resolved-claim.ts'

function platformWith(features: JsonObject, more: JsonObject = {}): Platform {
  const parsed = parsePlatform({ apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', features, ...more })
  if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
  return parsed.platform
}
const on = platformWith({ podReasons: true })

const exists: JsonObject = { metadata: {}, status: {} }
const shared = { serviceaccount: exists, poddisruptionbudget: exists }
const others = { ...shared, service: exists, scaledobject: exists }
const rollingOut = {
  ...others,
  deployment: {
    metadata: { generation: 2 },
    spec: { replicas: 1 },
    status: {
      observedGeneration: 2,
      replicas: 2,
      updatedReplicas: 1,
      unavailableReplicas: 1,
      availableReplicas: 1,
      conditions: conditions(['Available', 'True'], ['Progressing', 'True', '', 'ReplicaSet "orders-worker-6d4cf56db6" is progressing.']),
    },
  },
}
const available = {
  ...others,
  deployment: { spec: { replicas: 1 }, status: { availableReplicas: 1, conditions: conditions(['Available', 'True']) } },
}

const QUESTION = 'pods:deployment'
/** The claim was not ready before. */
const before = { metadata: { uid: 'own' }, status: { conditions: conditions(['WorkloadReady', 'False', 'RollingOut']) } }
const asking: ClusterLookup = { ...noLookup, canAsk: true, composite: before }
const answered = (pods: readonly JsonObject[], question = QUESTION): ClusterLookup => ({ ...asking, pods: { [question]: pods } })

interface Given {
  readonly observed?: Record<string, JsonObject>
  readonly lookup?: ClusterLookup
  readonly platform?: Platform
  readonly document?: JsonObject
}

function composed({ observed = rollingOut, lookup = asking, platform = on, document = claim() }: Given = {}) {
  const parsed = parseClaim(document, platform)
  if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
  const composition = compose(parsed.claim, platform, observed, lookup)
  const workload = composition.conditions.find(({ type }) => type === 'WorkloadReady')
  return { ...composition, workload, labels: composition.podQueries.map(({ labels }) => labels) }
}

const podOf = (name: string, index: number, podName = name) => {
  const { pod } = statesOf(name)[index] ?? {}
  if (pod === undefined) throw new Error(`${name} has no state ${index}`)
  return { ...pod, metadata: { ...(pod.metadata as JsonObject), name: podName } }
}
const ROLLING =
  'Deployment orders-worker is rolling out: 1 of 1 pods run the new version, and 1 is not available. See: eds why shop/orders-worker, or kubectl -n shop describe pods -l app.kubernetes.io/name=orders-worker'
const newest = { 'app.kubernetes.io/name': 'orders-worker', 'pod-template-hash': '6d4cf56db6' }

describe('Crossplane is asked for the pods', () => {
  test('of the newest version by label and namespace, while the workload is not ready', () => {
    expect(composed().podQueries).toEqual([{ key: QUESTION, namespace: 'shop', labels: newest }])
  })

  test('and asked again with the answer, because Crossplane calls until the question stays the same', () => {
    expect(composed({ lookup: answered([]) }).podQueries).toEqual(composed().podQueries)
  })

  test.each<{ title: string } & Given>([
    { title: 'the platform does not want it', platform: builtInPlatform },
    { title: 'the workload is ready', observed: available },
    { title: 'the workload does not exist yet', observed: others },
    { title: 'Crossplane cannot be asked', lookup: { ...asking, canAsk: false } },
    {
      title: 'provider-kubernetes applies the resources',
      platform: platformWith({ podReasons: true }, { composeAs: 'ProviderKubernetes' }),
    },
    { title: 'the claim was ready in the last call, so a change may not be applied yet', lookup: { ...asking, composite: {} } },
  ])('never if $title', ({ title: _, ...given }) => {
    const { podQueries, forbiddenKinds, status, workload } = composed(given)
    expect({ podQueries, forbiddenKinds, pods: status.pods }).toEqual({ podQueries: [], forbiddenKinds: [], pods: undefined })
    expect(workload).toEqual(composed({ ...given, platform: { ...(given.platform ?? on), features: builtInPlatform.features } }).workload)
  })

  test('of a Knative Service and of its stand-in', () => {
    const failing = {
      status: { latestCreatedRevisionName: 'orders-worker-00002', conditions: conditions(['Ready', 'False', 'RevisionFailed']) },
    }
    expect(composed({ document: knativeClaim(), observed: { ...shared, 'knative-service': failing } }).labels).toEqual([
      { 'serving.knative.dev/service': 'orders-worker', 'serving.knative.dev/revision': 'orders-worker-00002' },
    ])
    const standIn = { ...failing, metadata: { name: 'orders-worker-switch' } }
    const { labels, workload } = composed({
      document: knativeClaim(),
      observed: { ...available, 'knative-service-switch': standIn },
      lookup: answered([podOf('image-missing', 0)], 'pods:knative-service-switch'),
    })
    expect(labels).toMatchObject([{ 'serving.knative.dev/service': 'orders-worker-switch' }])
    expect(workload).toMatchObject({
      reason: 'Switching',
      message: expect.stringMatching(
        /^1 pod: ImagePullBackOff: image ghcr\.io\/acme\/nothing:1: not found\. Deployment orders-worker keeps serving/,
      ),
    })
  })
})

describe('the condition', () => {
  test.each<{ title: string; pods: JsonObject[]; reason: string; causes: string }>([
    {
      title: 'names one cause of many pods once, with their number',
      pods: ['a', 'b', 'c'].map((name, index) => podOf('crash', index + 1, name)),
      reason: 'CrashLoopBackOff',
      causes: '3 pods: CrashLoopBackOff: container main ended with exit code 3. ',
    },
    {
      title: 'names several causes, the first one as its reason',
      pods: [podOf('crash', 1), podOf('image-missing', 0)],
      reason: 'ImagePullBackOff',
      causes:
        '1 pod: ImagePullBackOff: image ghcr.io/acme/nothing:1: not found; 1 pod: CrashLoopBackOff: container main ended with exit code 3. ',
    },
    {
      title: 'names the three first causes and counts the others',
      pods: ['crash', 'image-missing', 'image-name-invalid', 'secret-missing'].map(name => podOf(name, 1)),
      reason: 'InvalidImageName',
      causes:
        '1 pod: InvalidImageName: image ghcr.io/Acme/Orders:1: invalid reference format: repository name (Acme/Orders) must be lowercase; 1 pod: ImagePullBackOff: image ghcr.io/acme/nothing:1: not found; 1 pod: CreateContainerConfigError: secret "orders-api" not found; and 1 more. ',
    },
    {
      title: 'keeps its reason while a pod may still be starting',
      pods: [podOf('not-ready', 1)],
      reason: 'RollingOut',
      causes: '1 pod: Unhealthy: the readiness probe of container main does not succeed: GET /ready on port 9999. ',
    },
    {
      title: 'names the sizes of a container that needs more memory',
      pods: [podOf('out-of-memory', 1)],
      reason: 'OOMKilled',
      causes: '1 pod: OOMKilled: container main needs more memory than its limit of 2Gi: size small has 2Gi; medium has 4Gi. ',
    },
    { title: 'says the same as before if the pods tell nothing', pods: [podOf('crash', 0)], reason: 'RollingOut', causes: '' },
    { title: 'says the same as before without pods', pods: [], reason: 'RollingOut', causes: '' },
    {
      title: 'ignores pods that are being deleted',
      pods: [{ ...podOf('crash', 1), metadata: { name: 'a', deletionTimestamp: '2026-11-27T06:00:00Z' } }],
      reason: 'RollingOut',
      causes: '',
    },
  ])('$title', ({ pods, reason, causes }) => {
    const { workload } = composed({ lookup: answered(pods), document: claim({ size: 'small' }) })
    expect(workload).toMatchObject({ type: 'WorkloadReady', ready: false, reason, message: causes + ROLLING })
  })

  test('names no larger size if there is none', () => {
    const { workload } = composed({ lookup: answered([podOf('out-of-memory', 1)]), document: claim({ size: 'large' }) })
    expect(workload?.message).toContain('size large has 8Gi; no size has more. ')
  })

  test("names the claim's own probe, which Knative's container runs", () => {
    const proxied = podOf('not-ready', 1)
    const [status] = at(proxied, 'status', 'containerStatuses') as JsonObject[]
    const pod = {
      ...proxied,
      spec: { containers: [{ name: 'queue-proxy', readinessProbe: { httpGet: { path: '/', port: 8012 } } }] },
      status: { ...(at(proxied, 'status') as JsonObject), containerStatuses: [{ ...status, name: 'queue-proxy' }] },
    }
    const failing = { status: { latestCreatedRevisionName: 'orders-worker-00002', conditions: conditions(['Ready', 'Unknown']) } }
    const { workload } = composed({
      document: knativeClaim({ readyPath: '/serving', httpPort: 3000 }),
      observed: { ...shared, 'knative-service': failing },
      lookup: answered([pod], 'pods:knative-service'),
    })
    expect(workload?.message).toMatch(
      /^1 pod: Unhealthy: the readiness probe of container main does not succeed: GET \/serving on port 3000\. /,
    )
  })
})

describe('status.pods', () => {
  test('names at most five pods with reason, message and time, certain problems first', () => {
    const pods = ['g', 'f', 'e', 'd', 'c', 'b'].map(name => podOf('image-missing', 0, name))
    const { status } = composed({ lookup: answered([podOf('not-ready', 1, 'a'), ...pods]) })
    expect(status.pods?.map(({ name }) => name)).toEqual(['b', 'c', 'd', 'e', 'f'])
    expect(status.pods?.[0]).toEqual({
      name: 'b',
      reason: 'ImagePullBackOff',
      message: 'image ghcr.io/acme/nothing:1: not found',
      since: '2026-11-27T06:05:52Z',
    })
  })

  test('disappears when the workload is ready', () => {
    expect(composed({ observed: available, lookup: answered([podOf('image-missing', 0)]) }).status).not.toHaveProperty('pods')
  })
})

describe('whether Crossplane may read pods', () => {
  const unknown = { ...asking, access: new Map<string, boolean>() }
  const timeout =
    'cannot compose resources: cannot run Composition pipeline step "render": fetching resources for pods:deployment: cannot get required resources by labels: Timeout: failed waiting for *unstructured.Unstructured Informer to sync'
  const reported = {
    ...before,
    status: { conditions: [...before.status.conditions, ...conditions(['Synced', 'False', 'ReconcileError', timeout])] },
  }
  test.each<{ title: string; lookup: ClusterLookup; asks: boolean; forbidden: string[] }>([
    { title: 'is found out by the one claim that is chosen', lookup: unknown, asks: false, forbidden: ['remembered'] },
    { title: 'is known', lookup: { ...asking, access: new Map([['Pod.v1', true]]) }, asks: true, forbidden: [] },
    {
      title: 'is known to be forbidden',
      lookup: { ...asking, access: new Map([['Pod.v1', false]]) },
      asks: false,
      forbidden: ['remembered'],
    },
    { title: 'is answered by the pods themselves', lookup: { ...unknown, pods: { [QUESTION]: [] } }, asks: true, forbidden: [] },
    {
      title: 'is refused by the error of the previous call',
      lookup: { ...unknown, composite: reported },
      asks: false,
      forbidden: ['reported'],
    },
  ])('$title', ({ lookup, asks, forbidden }) => {
    const { podQueries, forbiddenKinds, workload } = composed({ lookup })
    expect(podQueries).toHaveLength(asks ? 1 : 0)
    expect(forbiddenKinds).toEqual(forbidden.map(source => ({ kind: 'Pod.v1', source })))
    expect(workload).toMatchObject({ reason: 'RollingOut', message: ROLLING })
  })
})

describe('laws', () => {
  const names = [...new Set(podStates.map(({ name }) => name))]
  const say = (pod: JsonObject) => {
    const { workload, status } = composed({ lookup: answered([pod]) })
    return { reason: workload?.reason, message: workload?.message, pods: status.pods }
  }

  test.each(names)('the states of %s give one condition and at most one event, in any order', name => {
    const failing = statesOf(name).filter(({ pod }) => say(pod).reason !== 'RollingOut')
    if (failing.length === 0) return
    expect(new Set(failing.map(({ pod }) => JSON.stringify(say(pod)))).size).toBe(1)
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...failing), { minLength: 1, maxLength: 6 }), states => {
        let composite: JsonObject = before
        let events = 0
        for (const { pod } of states) {
          const { conditions } = composed({ lookup: { ...answered([pod]), composite } })
          events += changedConditions(composite, conditions).filter(({ type }) => type === 'WorkloadReady').length
          const said = conditions.map(({ type, ready, reason, message }) => ({ type, status: ready ? 'True' : 'False', reason, message }))
          composite = { ...before, status: { conditions: said } }
        }
        expect(events).toBe(1)
      }),
      { numRuns: 20 },
    )
  })

  test('the order of the pods changes nothing', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(podStates.map(({ pod }) => pod)), pods => {
        const say = (pods: JsonObject[]) => {
          const { workload, status } = composed({ lookup: answered(pods) })
          return { workload, names: status.pods?.map(({ name }) => name) }
        }
        expect(say(pods)).toEqual(say([...pods].reverse()))
      }),
      { numRuns: 30 },
    )
  })

  test('no condition contains a restart count, a waiting time, an address or an id', () => {
    for (const { pod } of podStates)
      expect(JSON.stringify(say(pod))).not.toMatch(/back-?off \d|restartCount|containerd:\/\/|\d+\.\d+\.\d+\.\d+|[0-9a-f]{8}-[0-9a-f]{4}-/i)
  })
})
