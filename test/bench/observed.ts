// A claim that has been running for a while, as Crossplane sends it: whole objects, with all that an API server and the
// controllers add to them.
import { parseClaim } from '../../src/claim/parse.ts'
import { builtInPlatform } from '../../src/claim/platform.ts'
import { compose } from '../../src/compose.ts'
import { isObject, type Json, type JsonObject } from '../../src/json.ts'
import { type ClaimDocument, claim, compositeOf } from '../claims.ts'

const CREATED = '2026-01-05T08:00:00Z'
const sizes = ['micro', 'small', 'medium', 'large']

/** About what a team writes. Ten digits tell one from another; everything else hangs on the last of them. */
export const benchClaim = (id: string): ClaimDocument =>
  claim(
    {
      image: `ghcr.io/acme/worker:1.4.${id}`,
      size: sizes[Number(id) % sizes.length],
      nats: { stream: `ORDERS_${id}`, consumer: `workers-${id}` },
      scaling: { minReplicas: 1 + (Number(id) % 3), maxReplicas: 10 + (Number(id) % 5), lagThreshold: 20 },
      env: [
        { name: 'LOG_LEVEL', value: 'info' },
        { name: 'WORKERS', value: String(Number(id) % 8) },
      ],
      secretRefs: [
        { name: `worker-${id}-db`, env: [{ secretKey: 'password', envName: 'DB_PASSWORD' }] },
        { name: `worker-${id}-cache`, envFrom: true },
      ],
    },
    { name: `worker-${id}`, namespace: `team-${Number(id) % 50}` },
  )

const uid = (what: string, id: string) => `${Buffer.from(what).toString('hex').padEnd(8, '0').slice(0, 8)}-4b1d-4c7e-9f00-00${id}`

/** The tree of `f:` keys that server-side apply keeps of what a manager said. */
function fieldsOf(value: Json | undefined): JsonObject {
  if (Array.isArray(value)) {
    return Object.fromEntries(
      value.map((item: Json) => [
        isObject(item) && item.name !== undefined ? `k:${JSON.stringify({ name: item.name })}` : `v:${JSON.stringify(item)}`,
        { '.': {}, ...fieldsOf(item) },
      ]),
    )
  }
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, field]) => [`f:${key}`, fieldsOf(field)])) : {}
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

export interface Moment {
  /** Ten digits. */
  readonly resourceVersion: string
  /** When KEDA last saw messages wait. */
  readonly time: string
}

interface Living {
  /** What the API server fills in. */
  readonly defaults?: JsonObject
  readonly status?: JsonObject
  readonly manager?: string
}

function livingOf(manifest: JsonObject, { time }: Moment): Living {
  const name = String((manifest.metadata as JsonObject).name)
  switch (manifest.kind) {
    case 'Deployment':
      return {
        manager: 'kube-controller-manager',
        defaults: { progressDeadlineSeconds: 600, replicas: 3, revisionHistoryLimit: 10 },
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

/** A composed resource as it is once its controllers have looked at it. */
function living(key: string, manifest: JsonObject, composite: JsonObject, id: string, moment: Moment): JsonObject {
  const { defaults, status, manager } = livingOf(manifest, moment)
  const { name: owner, uid: ownerUid } = composite.metadata as JsonObject
  const moves = manifest.kind === 'ScaledObject'
  const { metadata, ...fields } = manifest
  return {
    ...manifest,
    metadata: {
      ...(metadata as JsonObject),
      annotations: { 'crossplane.io/composition-resource-name': key },
      creationTimestamp: CREATED,
      generateName: `${owner}-`,
      generation: 1,
      labels: {
        ...((metadata as JsonObject).labels as JsonObject),
        'crossplane.io/claim-name': `worker-${id}`,
        'crossplane.io/claim-namespace': (metadata as JsonObject).namespace,
        'crossplane.io/composite': owner,
      },
      managedFields: [
        managed('apiextensions.crossplane.io/composed/4f9c8a7e1b2d3c5f', manifest, { metadata: metadata as JsonObject, ...fields }),
        ...(manager === undefined ? [] : [managed(manager, manifest, { status }, moves ? moment.time : CREATED)]),
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
      resourceVersion: moves ? moment.resourceVersion : '4711',
      uid: uid(key, id),
    },
    ...(isObject(manifest.spec) && { spec: { ...manifest.spec, ...defaults } }),
    ...(status && { status }),
  }
}

/** The composite of a claim, before anything is composed for it. */
export function compositeFor(id: string): JsonObject {
  const { metadata, spec, ...type } = compositeOf(benchClaim(id))
  return {
    ...type,
    metadata: {
      ...(metadata as JsonObject),
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(benchClaim(id)) },
      creationTimestamp: CREATED,
      finalizers: ['composite.apiextensions.crossplane.io'],
      generateName: `worker-${id}-`,
      generation: 3,
      managedFields: [managed('apiextensions.crossplane.io/claim', type, { metadata: metadata as JsonObject, spec: spec as JsonObject })],
      resourceVersion: '4242',
      uid: uid('composite', id),
    },
    spec: {
      ...(spec as JsonObject),
      compositionRevisionRef: { name: 'eventdrivenservice-1a2b3c4' },
      // The API server writes what the definition defaults.
      runtime: 'Deployment',
      sessionAffinity: 'None',
    },
  }
}

export interface Situation {
  readonly composite: JsonObject
  readonly resources: Readonly<Record<string, JsonObject>>
}

/** The composite once all is well, and what was composed. */
export function situationOf(id: string, moment: Moment): Situation {
  const composite = compositeFor(id)
  const parsed = parseClaim(composite, builtInPlatform)
  if (!parsed.ok) throw new Error(`the claim of the bench is invalid: ${JSON.stringify(parsed.findings)}`)
  const resources = Object.fromEntries(
    compose(parsed.claim, builtInPlatform, {}).resources.map(({ key, manifest }): [string, JsonObject] => [
      key,
      living(key, manifest, composite, id, moment),
    ]),
  )
  const { conditions, status } = compose(parsed.claim, builtInPlatform, resources)
  const ready = [
    ...conditions.map(({ type, ready, reason, message }) => conditionOf(type, reason, message, ready ? 'True' : 'False')),
    conditionOf('Synced', 'ReconcileSuccess', ''),
    conditionOf('Ready', 'Available', ''),
  ]
  return { composite: { ...composite, status: { ...status, conditions: ready } }, resources }
}
