// A claim and its resources as Crossplane sends them, with the fields that the API server and the controllers add.

import { at, isObject, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import type { Observed } from '../../src/reconcile/observe.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { type ClaimDocument, claim, compositeOf } from '../fixtures/claims.ts'

const CREATED = '2026-01-05T08:00:00Z'

/** A typical claim. The id has ten digits. */
export const benchClaim = (id: string): ClaimDocument =>
  claim(
    {
      image: `ghcr.io/acme/worker:1.4.${id}`,
      size: 'small',
      nats: { stream: `ORDERS_${id}`, consumer: `workers-${id}` },
      scaling: { minReplicas: 1, maxReplicas: 20, lagThreshold: 50 },
      env: [
        { name: 'LOG_LEVEL', value: 'info' },
        { name: 'BATCH_SIZE', value: '64' },
      ],
      secretRefs: [
        { name: `worker-${id}-db`, env: [{ secretKey: 'password', envName: 'DB_PASSWORD' }] },
        { name: `worker-${id}-cache`, envFrom: true },
      ],
    },
    { name: `worker-${id}`, namespace: `team-${id}` },
  )

const uid = (what: string, id: string) => `${Buffer.from(what).toString('hex').padEnd(8, '0').slice(0, 8)}-4b1d-4c7e-9f00-00${id}`

/** The `f:` keys that server-side apply records for the fields of a manager. Lists without names are atomic. */
function fieldsOf(value: Json | undefined): JsonObject {
  if (Array.isArray(value)) {
    const named = value.filter((item: Json) => isObject(item) && item.name !== undefined)
    return Object.fromEntries(named.map(item => [`k:${JSON.stringify({ name: item.name })}`, { '.': {}, ...fieldsOf(item) }]))
  }
  if (!isObject(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [`f:${key}`, fieldsOf(field)]))
}

const managed = (manager: string, by: JsonObject, fields: JsonObject, time = CREATED): JsonObject => ({
  apiVersion: by.apiVersion,
  fieldsType: 'FieldsV1',
  fieldsV1: fieldsOf(fields),
  manager,
  operation: manager.startsWith('apiextensions') ? 'Apply' : 'Update',
  ...(fields.status !== undefined && { subresource: 'status' }),
  time,
})

const conditionOf = (type: string, reason: string, message: string, status = 'True'): JsonObject => ({
  lastTransitionTime: CREATED,
  lastUpdateTime: CREATED,
  message,
  reason,
  status,
  type,
})

/** The values that change between two calls. */
export interface Moment {
  readonly version: string
  readonly time: string
}

interface ControllerFields {
  /** The defaults of the API server. */
  readonly defaults?: JsonObject
  readonly status?: JsonObject
  readonly manager?: string
}

/** The pod template with the defaults of the API server. */
function filledIn(deployment: JsonObject): JsonObject {
  const template = at(deployment, 'spec', 'template') as JsonObject
  const pod = template.spec as JsonObject
  const containers = (pod.containers as readonly JsonObject[]).map(container => ({
    ...container,
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  }))
  return {
    ...template,
    spec: {
      ...pod,
      containers,
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      serviceAccount: pod.serviceAccountName,
      terminationGracePeriodSeconds: 30,
    },
  }
}

function controllerFieldsOf(manifest: JsonObject, { time }: Moment): ControllerFields {
  const name = String((manifest.metadata as JsonObject).name)
  switch (manifest.kind) {
    case 'Deployment':
      return {
        manager: 'kube-controller-manager',
        defaults: { progressDeadlineSeconds: 600, replicas: 3, template: filledIn(manifest) },
        status: {
          availableReplicas: 3,
          conditions: [
            conditionOf('Available', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'),
            conditionOf('Progressing', 'NewReplicaSetAvailable', `ReplicaSet "${name}-6d4cf56db6" has successfully progressed.`),
          ],
          observedGeneration: 1,
          readyReplicas: 3,
          replicas: 3,
          updatedReplicas: 3,
        },
      }
    case 'Service':
      return {
        defaults: {
          clusterIP: '10.96.14.7',
          clusterIPs: ['10.96.14.7'],
          internalTrafficPolicy: 'Cluster',
          ipFamilies: ['IPv4'],
          ipFamilyPolicy: 'SingleStack',
          sessionAffinity: 'None',
        },
        status: { loadBalancer: {} },
      }
    case 'ScaledObject':
      return {
        manager: 'keda',
        status: {
          authenticationsTypes: '',
          conditions: [
            conditionOf('Ready', 'ScaledObjectReady', 'ScaledObject is defined correctly and is ready for scaling'),
            conditionOf('Active', 'ScalerActive', 'Scaling is performed because triggers are active'),
            conditionOf('Fallback', 'NoFallbackFound', 'No fallbacks are active on this scaled object', 'False'),
            conditionOf('Paused', 'ScaledObjectUnpaused', 'pause annotation removed for ScaledObject', 'False'),
          ],
          externalMetricNames: [`s0-nats-jetstream-${name}`],
          hpaName: name,
          lastActiveTime: time,
          originalReplicaCount: 1,
          scaleTargetGVKR: { group: 'apps', kind: 'Deployment', resource: 'deployments', version: 'v1' },
          scaleTargetKind: 'apps/v1.Deployment',
          triggersTypes: 'nats-jetstream',
        },
      }
    default:
      return {}
  }
}

/** A composed resource after its controllers have reconciled it. */
function reconciled(key: string, manifest: JsonObject, composite: JsonObject, id: string, moment: Moment): JsonObject {
  const { defaults, status, manager } = controllerFieldsOf(manifest, moment)
  const { name: owner, uid: ownerUid } = composite.metadata as JsonObject
  const changes = manifest.kind === 'ScaledObject'
  const { apiVersion: _, kind: __, metadata, ...fields } = manifest
  const { labels } = metadata as JsonObject
  return {
    ...manifest,
    metadata: {
      ...(metadata as JsonObject),
      annotations: { 'crossplane.io/composition-resource-name': key },
      creationTimestamp: CREATED,
      generateName: `${owner}-`,
      generation: 1,
      labels: {
        ...(labels as JsonObject),
        'crossplane.io/claim-name': `worker-${id}`,
        'crossplane.io/claim-namespace': (metadata as JsonObject).namespace,
        'crossplane.io/composite': owner,
      },
      managedFields: [
        managed('apiextensions.crossplane.io/composed/4f9c8a7e1b2d3c5f', manifest, {
          metadata: { labels, ownerReferences: [] },
          ...fields,
        }),
        ...(manager === undefined ? [] : [managed(manager, manifest, { status }, changes ? moment.time : CREATED)]),
      ],
      ownerReferences: [
        {
          apiVersion: composite.apiVersion,
          blockOwnerDeletion: true,
          controller: true,
          kind: composite.kind,
          name: owner,
          uid: ownerUid,
        },
      ],
      resourceVersion: changes ? moment.version : '4711',
      uid: uid(key, id),
    },
    ...(isObject(manifest.spec) && { spec: { ...manifest.spec, ...defaults } }),
    ...(status && { status }),
  }
}

/** The composite that Crossplane makes for a claim. */
function compositeFor(id: string): JsonObject {
  const { metadata, spec, ...type } = compositeOf(benchClaim(id))
  return {
    ...type,
    metadata: {
      ...(metadata as JsonObject),
      creationTimestamp: CREATED,
      finalizers: ['composite.apiextensions.crossplane.io'],
      generateName: `worker-${id}-`,
      generation: 3,
      managedFields: [managed('apiextensions.crossplane.io/claim', type, { metadata: { labels: (metadata as JsonObject).labels }, spec })],
      resourceVersion: '4242',
      uid: uid('composite', id),
    },
    spec: {
      ...(spec as JsonObject),
      compositionRevisionRef: { name: 'eventdrivenservice-1a2b3c4' },
      // The API server writes the defaults of the XRD.
      runtime: 'Deployment',
      sessionAffinity: 'None',
    },
  }
}

export interface Situation {
  readonly composite: JsonObject
  /** The observed resources. */
  readonly resources: Readonly<Record<string, JsonObject>>
  /** The keys of resources that the previous call required and that do not exist, so their names are available. */
  readonly free: readonly string[]
}

function composed(composite: JsonObject, observed: Observed = {}) {
  const parsed = parseClaim(composite, builtInPlatform)
  if (!parsed.ok) throw new Error(`the claim of the benchmark is invalid: ${JSON.stringify(parsed.findings)}`)
  return compose(parsed.claim, builtInPlatform, observed)
}

/** A new claim. */
export function newClaim(id: string): Situation {
  const composite = compositeFor(id)
  return { composite, resources: {}, free: composed(composite).resources.map(({ key }) => key) }
}

/** A claim whose resources are all ready. */
export function readyClaim(id: string, moment: Moment): Situation {
  const composite = compositeFor(id)
  const created = composed(composite).resources
  const resources = Object.fromEntries(created.map(({ key, manifest }) => [key, reconciled(key, manifest, composite, id, moment)]))
  const { conditions, status } = composed(composite, resources)
  const reported = [
    ...conditions.map(({ type, ready, reason, message }) => conditionOf(type, reason, message, ready ? 'True' : 'False')),
    conditionOf('Synced', 'ReconcileSuccess', ''),
    conditionOf('Ready', 'Available', ''),
  ]
  const resourceRefs = created.map(({ manifest: { apiVersion, kind, metadata } }) => ({
    apiVersion,
    kind,
    name: metadata.name,
    namespace: metadata.namespace,
  }))
  return {
    composite: { ...composite, spec: { ...(composite.spec as JsonObject), resourceRefs }, status: { ...status, conditions: reported } },
    resources,
    free: [],
  }
}
