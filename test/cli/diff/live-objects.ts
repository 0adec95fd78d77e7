// The objects of a claim as they are in a cluster: applied by Crossplane, with defaults, and with what controllers wrote.
import { at, isObject, items, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../../src/platform/platform.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'

export const MANAGER = 'apiextensions.crossplane.io/composed/4f9c8a7e'

/** Fields that make up the key of a list entry. */
const keys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
}

/** The field set of a value: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
function fieldsOf(value: Json | undefined, { mergesLists }: { readonly mergesLists: boolean }, list = ''): JsonObject {
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [`f:${name}`, fieldsOf(item, { mergesLists }, name)]))
  const names = list === 'ports' ? [at(value, 0, 'containerPort') === undefined ? 'port' : 'containerPort', 'protocol'] : keys[list]
  if (!Array.isArray(value) || names === undefined || !mergesLists) return {}
  return Object.fromEntries(
    value.map((item: Json) => {
      const key = JSON.stringify(Object.fromEntries(names.map(name => [name, at(item, name) ?? 'TCP'])))
      return [`k:${key}`, { '.': {}, ...fieldsOf(item, { mergesLists }) }]
    }),
  )
}

export const ownedBy = (manager: string, fields: JsonObject, more: JsonObject = {}): JsonObject => ({
  manager,
  operation: 'Apply',
  fieldsType: 'FieldsV1',
  fieldsV1: fieldsOf(fields, { mergesLists: true }),
  ...more,
})

/** By resource key. */
export function liveObjects(claim: JsonObject, platform: Platform = builtInPlatform): Record<string, JsonObject> {
  const parsed = parseClaim(claim, platform)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  const { resources } = compose(parsed.claim, platform, {})
  return Object.fromEntries(resources.map(({ key, desired }) => [key, live(key, desired, parsed.claim)]))
}

function live(key: string, desired: JsonObject, { name, namespace }: { readonly name: string; readonly namespace: string }): JsonObject {
  const { apiVersion, kind, ...fields } = desired
  const spec = isObject(desired.spec) ? desired.spec : undefined
  const metadata = isObject(desired.metadata) ? desired.metadata : {}
  const annotations = { ...(metadata.annotations as JsonObject | undefined), 'crossplane.io/composition-resource-name': key }
  const labels = {
    ...(metadata.labels as JsonObject | undefined),
    'crossplane.io/claim-name': name,
    'crossplane.io/claim-namespace': namespace,
    'crossplane.io/composite': `${name}-x7k2p`,
  }
  const mergesLists = !String(apiVersion).split('/')[0]?.includes('.dev') && !String(apiVersion).startsWith('keda')
  const own = { ...fields, metadata: { annotations, labels } }
  return {
    apiVersion,
    kind,
    metadata: {
      ...(metadata.name === undefined ? { name: `${name}-${key}` } : {}),
      ...metadata,
      annotations,
      labels,
      uid: `uid-of-${key}`,
      resourceVersion: '41',
      generation: 3,
      ownerReferences: [
        { apiVersion: 'v1', kind: 'XEventDrivenService', name: `${name}-x7k2p`, uid: 'uid-of-composite', controller: true },
      ],
      managedFields: [
        { manager: MANAGER, operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: fieldsOf(own, { mergesLists }) },
        ...(kind === 'Deployment'
          ? [ownedBy('kube-controller-manager', { spec: { replicas: 7 } }, { operation: 'Update', subresource: 'scale' })]
          : []),
      ],
    },
    ...Object.fromEntries(Object.entries(fields).filter(([field]) => field !== 'metadata')),
    ...(spec && kind === 'Deployment' && { spec: withDefaults(spec) }),
    ...(kind === 'Deployment' && { status: { replicas: 7, readyReplicas: 7 } }),
  }
}

/** What the API server fills in, the count of the HPA, and a quantity in the API server's spelling. */
function withDefaults(spec: JsonObject): JsonObject {
  const template = spec.template as JsonObject
  const pod = template.spec as JsonObject
  return {
    progressDeadlineSeconds: 600,
    ...spec,
    replicas: 7,
    template: {
      ...template,
      spec: {
        dnsPolicy: 'ClusterFirst',
        ...pod,
        containers: items(pod.containers).map(container => ({
          terminationMessagePath: '/dev/termination-log',
          ...(container as JsonObject),
          resources: respelt(at(container, 'resources')),
        })),
      },
    },
  }
}

const respelt = (resources: Json | undefined): Json =>
  JSON.parse(JSON.stringify(resources).replaceAll('"1000m"', '"1"').replaceAll('"1024Mi"', '"1Gi"').replaceAll('"500m"', '"0.5"'))
