// The cluster of healthy.ts, with the composite and the objects of the claim.
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { claim } from '../../fixtures/claims.ts'
import { type Answers, paths, readyPod } from '../doctor/cluster.ts'
import { ASK, account, config, healthy } from '../doctor/healthy.ts'

export const POD = 'orders-worker-6d4cf56db6-x7k2p'

const condition = (type: string, status = 'True', reason = 'Fine', message = ''): JsonObject => ({ type, status, reason, message })
export const conditions = (...all: Parameters<typeof condition>[]): JsonObject => ({ conditions: all.map(one => condition(...one)) })

const COMPOSITES = '/apis/platform.bizmatters.io/v1alpha1/xeventdrivenservices'
export const objects = {
  composite: `${COMPOSITES}/orders-worker-hzcdp`,
  deployment: '/apis/apps/v1/namespaces/shop/deployments/orders-worker',
  scaledObject: '/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/orders-worker-scaler',
  compositeEvents:
    '/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DXEventDrivenService%2CinvolvedObject.name%3Dorders-worker-hzcdp%2Ctype%3DWarning',
  log: (query: string) => `/api/v1/namespaces/shop/pods/${POD}/log?${query}`,
}

const manifests = (() => {
  const parsed = parseClaim(claim(), builtInPlatform)
  return parsed.ok ? compose(parsed.claim, builtInPlatform, {}).resources : []
})()

const plurals: Readonly<Record<string, string>> = {
  ServiceAccount: 'api/v1/namespaces/shop/serviceaccounts',
  Deployment: 'apis/apps/v1/namespaces/shop/deployments',
  Service: 'api/v1/namespaces/shop/services',
  ScaledObject: 'apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects',
  PodDisruptionBudget: 'apis/policy/v1/namespaces/shop/poddisruptionbudgets',
}

export const rolledOut: JsonObject = {
  observedGeneration: 1,
  replicas: 1,
  updatedReplicas: 1,
  readyReplicas: 1,
  availableReplicas: 1,
  ...conditions(['Available'], ['Progressing']),
}

/** An object of the claim as the cluster has it. */
export function objectOf(key: string, status: JsonObject): JsonObject {
  const manifest = manifests.find(one => one.key === key)?.manifest
  if (manifest === undefined) throw new Error(`the claim has no ${key}`)
  const annotations = { 'crossplane.io/composition-resource-name': key }
  const labels = { 'crossplane.io/claim-name': 'orders-worker', 'crossplane.io/claim-namespace': 'shop' }
  return { ...manifest, metadata: { ...manifest.metadata, annotations, labels, generation: 1 }, status }
}

const statuses: Readonly<Record<string, JsonObject>> = {
  deployment: rolledOut,
  scaledobject: conditions(['Ready'], ['Active'], ['Paused', 'False']),
  poddisruptionbudget: { observedGeneration: 1, ...conditions(['DisruptionAllowed']) },
}

export const composite = (status: JsonObject = conditions(['Synced'], ['Ready']), metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'platform.bizmatters.io/v1alpha1',
  kind: 'XEventDrivenService',
  metadata: { name: 'orders-worker-hzcdp', ...metadata },
  spec: {
    resourceRefs: manifests.map(({ manifest: { apiVersion, kind, metadata } }) => ({ apiVersion, kind, name: metadata.name })),
  },
  status,
})

export const counts = (figures: JsonObject): Answers => ({
  [ASK]: { account_details: [account('$G', { name: 'ORDERS', consumer_detail: [{ name: 'orders-workers', config, ...figures }] })] },
})

export const running: Answers = {
  ...healthy,
  [objects.composite]: composite(),
  ...Object.fromEntries(
    manifests.map(({ key, manifest: { kind, metadata } }) => [`/${plurals[kind]}/${metadata.name}`, objectOf(key, statuses[key] ?? {})]),
  ),
  [paths.pods]: { items: [readyPod(POD)] },
  ...counts({ num_pending: 9, num_ack_pending: 3, num_redelivered: 1 }),
}
