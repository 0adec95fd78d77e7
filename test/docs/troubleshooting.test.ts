// Holds what docs/troubleshooting.md quotes to what a claim really says, and its links to what is there.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Readiness } from '../../src/capabilities/readiness.ts'
import type { ResolvedClaim } from '../../src/claim/resolved-claim.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { troubleOfPod } from '../../src/kubernetes/pod-troubles.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { noLookup } from '../../src/reconcile/cluster-lookup.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { findingsMessage, refusedCondition } from '../../src/reconcile/conditions.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { claim as document, knativeClaim } from '../fixtures/claims.ts'
import { podStates, statesOf } from '../fixtures/pods.ts'

const file = new URL('../../docs/troubleshooting.md', import.meta.url)
const page = readFileSync(file, 'utf8')

const readingPods: Platform = { ...builtInPlatform, features: { ...builtInPlatform.features, podReasons: true } }

function parse(composite: JsonObject, platform = builtInPlatform): ResolvedClaim {
  const parsed = parseClaim(composite, platform)
  if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
  return parsed.claim
}
const claim = parse(document())
const taken = (metadata: JsonObject, selector: string): JsonObject => ({
  kind: 'Deployment',
  metadata: { name: 'orders-worker', namespace: 'shop', ...metadata },
  spec: { selector: { matchLabels: { 'app.kubernetes.io/name': selector } } },
})

/** The condition that is not true, of a claim of which this much is observed. */
function says(
  observed: Record<string, JsonObject>,
  of = claim,
  lookup = noLookup,
  wanted = Object.keys(observed).includes('deployment') || !Object.keys(observed).includes('scaledobject')
    ? 'WorkloadReady'
    : 'ScalingReady',
): Readiness & { readonly type: string } {
  const found = compose(of, builtInPlatform, observed, lookup).conditions.filter(({ ready }) => !ready)
  const condition = found.find(({ type }) => type === wanted)
  if (condition === undefined) throw new Error(`${wanted} is true`)
  return condition
}

const there = (...conditions: JsonObject[]): JsonObject => ({ status: { conditions } })
const workload = (...conditions: JsonObject[]) => ({ serviceaccount: there(), deployment: there(...conditions), service: there() })
const rollingOut = (...conditions: JsonObject[]) => ({
  ...workload(),
  scaledobject: there(),
  poddisruptionbudget: there(),
  deployment: {
    spec: { replicas: 1 },
    status: { replicas: 2, updatedReplicas: 1, unavailableReplicas: 1, conditions: [{ type: 'Available', status: 'True' }, ...conditions] },
  },
})
const rolling = rollingOut()
const found = (object: JsonObject, adopt = false) => ({
  ...noLookup,
  canAsk: true,
  existing: { serviceaccount: undefined, deployment: object, service: undefined, scaledobject: undefined },
  composite: { metadata: { uid: 'ours' } },
  adopt,
})

const quota =
  'pods "orders-worker-6d4cf56db6-x7k2p" is forbidden: exceeded quota: team, requested: requests.cpu=500m, used: requests.cpu=4, limited: requests.cpu=4'
const image = 'Revision "orders-worker-00001" failed with message: Unable to fetch image "ghcr.io/acme/orders-worker:1.4.2": 404 Not Found'
const twice = document({ env: [{ name: 'A', value: 'x' }], secretRefs: [{ name: 's', env: [{ secretKey: 'k', envName: 'A' }] }] })

const texts: Readonly<Record<string, () => Readiness & { readonly type: string }>> = {
  rolling: () => says(rolling),
  image: () => {
    const pods = {
      'pods:deployment': statesOf('image-missing')
        .map(({ pod }) => pod)
        .slice(0, 1),
    }
    const composite = { metadata: { uid: 'ours' }, status: { conditions: [{ type: 'WorkloadReady', status: 'False' }] } }
    return says(rolling, parse(document(), readingPods), { ...noLookup, canAsk: true, pods, composite })
  },
  unavailable: () => says(workload({ type: 'Available', status: 'False' })),
  stuck: () => says(rollingOut({ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' })),
  quota: () => says(workload({ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: quota })),
  trigger: () =>
    says({
      scaledobject: there({
        type: 'Ready',
        status: 'False',
        reason: 'TriggerError',
        message: 'Triggers defined in ScaledObject are not working correctly',
      }),
    }),
  hpa: () =>
    says({
      scaledobject: there(
        { type: 'Ready', status: 'True' },
        {
          type: 'HPAActive',
          status: 'False',
          reason: 'FailedGetExternalMetric',
          message:
            'HPA is not actively scaling: unable to fetch metrics from external metrics API: the server could not find the requested resource',
        },
      ),
    }),
  waiting: () => says({ scaledobject: there() }),
  'never-polled': () => says({ scaledobject: there({ type: 'Ready', status: 'True' }, { type: 'Active', status: 'Unknown' }) }),
  creating: () => says({}, claim, noLookup, 'ScalingReady'),
  unknown: () =>
    says({}, claim, { ...noLookup, canAsk: true, canAskKinds: true, kinds: { 'ScaledObject.keda.sh/v1alpha1': false } }, 'ScalingReady'),
  forbidden: () =>
    says({}, claim, { ...noLookup, canAsk: true, access: new Map([['PodDisruptionBudget.policy/v1', false]]) }, 'AvailabilityReady'),
  asked: () => says({}, claim, { ...noLookup, canAsk: true }),
  knative: () =>
    says(
      { serviceaccount: there(), 'knative-service': there({ type: 'Ready', status: 'False', reason: 'RevisionFailed', message: image }) },
      parse(knativeClaim()),
    ),
  taken: () => says({}, claim, found(taken({ labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'orders-worker'))),
  selector: () => says({}, claim, found(taken({}, 'other'), true)),
  leaving: () => says({}, claim, found(taken({ deletionTimestamp: '2026-01-01T00:00:00Z' }, 'orders-worker'))),
  invalid: () => {
    const parsed = parseClaim(twice, builtInPlatform)
    return refusedCondition('InvalidClaim', parsed.ok ? '' : findingsMessage(parsed.findings))
  },
}

const quoted = new Map([...page.matchAll(/<!-- text (\S+) -->\n> (.*)\n/g)].map(([, name = '', text = '']) => [name, text]))

describe('docs/troubleshooting.md', () => {
  test('quotes what is held here', () => expect([...quoted.keys()].sort()).toEqual(Object.keys(texts).sort()))

  test.each(Object.entries(texts))('says of %s what a claim says', (name, tell) => {
    const { type, ready, reason, message } = tell()
    expect(ready).toBe(false)
    expect(quoted.get(name)).toBe(`\`${type}: False\`, \`${reason}\`: ${message}`)
  })

  test.each(podStates)('quotes what $name tells as $kubectl', ({ name, kubectl, pod }) => {
    const trouble = troubleOfPod(pod)
    if (trouble === undefined || unquoted.includes(name)) return
    const { reason, message } = trouble
    // Every pod is ContainerCreating for a moment.
    if (reason === 'ContainerCreating' && name !== 'volume-missing') return
    const row = rows.find(text => text.startsWith(`| \`${reason}: ${message}\` | `))
    expect(row).toContain(`\`${kubectl}\``)
  })

  test('links to what is there', () => {
    const links = [...page.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)]
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? file : new URL(path, file)
      return !existsSync(fileURLToPath(target)) || (anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor))
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })
})

const rows = page.split('\n').filter(line => line.startsWith('| '))
/** They cannot occur in a claim's pod, or their words are those of another pod. */
const unquoted = ['image-runs-as-root', 'user-is-root', 'digest-missing']

/** As GitHub makes them of the headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
