import { describe, expect, test } from 'vitest'
import { meshDiagnosis } from '../../../src/capabilities/mesh/doctor.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type MeshPlatform } from '../../../src/platform/platform.ts'
import { type Answers, clusterOf } from '../../fixtures/doctor-api.ts'
import { gateways, meshClaim, withMesh } from '../../fixtures/mesh.ts'
import { resolvedClaim } from '../../fixtures/resolved-claim.ts'

const available = { replicas: 1, readyReplicas: 1, conditions: [{ type: 'Available', status: 'True' }] }
const deployment = (name: string, labels: JsonObject, pods: JsonObject = labels): JsonObject => ({
  metadata: { name, namespace: 'istio-system', labels },
  spec: { replicas: 1, selector: { matchLabels: pods }, template: { metadata: { labels: pods } } },
  status: available,
})
const ISTIOD = '/apis/apps/v1/deployments?labelSelector=app%3Distiod'
const PODS = '/apis/apps/v1/namespaces/istio-ingress/deployments'
const GATEWAY = '/apis/gateway.networking.k8s.io/v1/namespaces/istio-ingress/gateways/public'
const CNI = '/apis/apps/v1/daemonsets?labelSelector=k8s-app%3Distio-cni-node'
const NATS = '/api/v1/namespaces/nats/services/nats'
const programmed = (from?: string): JsonObject => ({
  spec: from === undefined ? {} : { allowedListeners: { namespaces: { from } } },
  status: { conditions: [{ type: 'Programmed', status: 'True' }] },
})

const healthy: Answers = {
  [ISTIOD]: { items: [deployment('istiod', { app: 'istiod', 'istio.io/rev': 'default' })] },
  [PODS]: { items: [deployment('istio-ingressgateway', { istio: 'ingressgateway' })] },
  [GATEWAY]: programmed('All'),
  [CNI]: { items: [{ metadata: { name: 'istio-cni-node', namespace: 'istio-system' } }] },
  [NATS]: { spec: { ports: [{ name: 'nats', port: 4222, appProtocol: 'tcp' }] } },
}

async function diagnosed(answers: Answers = {}, mesh: Partial<MeshPlatform> = {}) {
  const platform = withMesh(mesh)
  const checks = await meshDiagnosis.check(clusterOf({ ...healthy, ...answers }), { claims: [meshClaim({}, {}, platform)], platform })
  return checks.map(({ name, state, message }) => `${name}: ${state}: ${message}`)
}

test('a cluster that has everything', async () => {
  expect(await diagnosed()).toEqual([
    expect.stringMatching(/^Istio: well: installed CRDs: peerauthentications/),
    'istiod: well: Deployment istio-system/istiod has 1 of 1 replicas ready, revision default',
    'Gateway: well: Deployment istio-system/istio-ingressgateway has 1 of 1 replicas ready',
    'istio-cni: well: DaemonSet istio-system/istio-cni-node exists',
  ])
})

test.each<{ says: string; answers?: Answers; mesh?: Partial<MeshPlatform>; finds: string }>([
  {
    says: 'no Istio',
    answers: { '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.networking.istio.io': undefined },
    finds: 'Istio: wrong: missing CRDs: virtualservices.networking.istio.io',
  },
  {
    says: 'no istiod',
    answers: { [ISTIOD]: { items: [] } },
    finds: 'istiod: wrong: no Deployment in any namespace has the label app=istiod, so no pod gets a sidecar',
  },
  {
    says: 'another revision',
    mesh: { revision: '1-31' },
    finds:
      "istiod: wrong: no istiod has the revision '1-31', so no pod gets a sidecar; its revisions: default (mesh.revision in the function's input)",
  },
  {
    says: 'no gateway',
    answers: { [PODS]: { items: [] } },
    finds:
      "Gateway: wrong: no Deployment in namespace istio-ingress has pods with the labels istio=ingressgateway (mesh.gateway in the function's input)",
  },
  {
    says: 'no Gateway of the Gateway API',
    answers: { [GATEWAY]: undefined },
    mesh: { gateway: gateways.GatewayAPI },
    finds: "Gateway: wrong: Gateway istio-ingress/public does not exist (mesh.gateway in the function's input)",
  },
  {
    says: 'a Gateway without ListenerSets',
    answers: { [GATEWAY]: programmed() },
    mesh: { gateway: gateways.GatewayAPI },
    finds: 'Gateway: wrong: Gateway istio-ingress/public takes no ListenerSets, so no host of a claim is served',
  },
  {
    says: 'a Gateway that works',
    mesh: { gateway: gateways.GatewayAPI },
    finds: 'Gateway: well: Gateway istio-ingress/public is programmed and takes ListenerSets',
  },
  { says: 'a plain port of NATS', mesh: { natsBypass: false }, finds: 'NATS port 4222: well: Service nats/nats says that it is plain TCP' },
  {
    says: 'a port of NATS that hangs',
    answers: { [NATS]: { spec: { ports: [{ name: 'nats', port: 4222 }] } } },
    mesh: { natsBypass: false },
    finds:
      'NATS port 4222: wrong: Service nats/nats does not say that it is plain TCP, so connections through the sidecar hang: NATS speaks first',
  },
  {
    says: 'no CNI plugin',
    answers: { [CNI]: { items: [] } },
    finds: 'istio-cni: unknown: is not installed; namespaces that enforce Pod Security need it',
  },
  {
    says: 'no CNI plugin for a restricted namespace',
    answers: {
      [CNI]: { items: [] },
      '/api/v1/namespaces/shop': { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    },
    finds: "istio-cni: wrong: is not installed, and namespace shop enforces Pod Security, which refuses pods with Istio's init container",
  },
])('finds $says', async ({ answers, mesh, finds }) => expect(await diagnosed(answers, mesh)).toContain(finds))

describe('paths without a token', () => {
  const MESH = '/api/v1/namespaces/istio-system/configmaps/istio'
  const meshOf = (text: string): Answers => ({ [MESH]: { data: { mesh: text } } })
  const diagnosedPaths = async (publicPaths: readonly string[], answers: Answers) => {
    const platform = withMesh()
    const claim = meshClaim(
      { jwt: { issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', publicPaths: [...publicPaths] } },
      {},
      platform,
    )
    const checks = await meshDiagnosis.check(clusterOf({ ...healthy, ...answers }), { claims: [claim], platform })
    return checks.filter(({ name }) => name === 'Public paths').map(({ state, message }) => `${state}: ${message}`)
  }
  const passes = (found: string) =>
    `wrong: Istio's pathNormalization is ${found}, so a request for /public/..%2fprivate passes spec.mesh.jwt.publicPaths of shop/orders without a token`

  test.each([
    { says: 'Istio decodes slashes', mesh: 'pathNormalization:\n  normalization: DECODE_AND_MERGE_SLASHES\nrootNamespace: istio-system\n' },
    { says: 'Istio decodes slashes, in one line', mesh: '{}\npathNormalization: { normalization: "DECODE_AND_MERGE_SLASHES" }\n' },
  ])('are safe if $says', async ({ mesh }) =>
    expect(await diagnosedPaths(['/docs/*'], meshOf(mesh))).toEqual(["well: Istio's pathNormalization is DECODE_AND_MERGE_SLASHES"]),
  )

  test.each([
    { says: 'Istio only merges slashes', mesh: 'pathNormalization:\n  normalization: MERGE_SLASHES\n', finds: passes('MERGE_SLASHES') },
    { says: 'the mesh does not say', mesh: 'trustDomain: cluster.local\n', finds: passes('DEFAULT') },
  ])('are not safe if $says', async ({ mesh, finds }) => expect(await diagnosedPaths(['/docs/*'], meshOf(mesh))).toEqual([finds]))

  test('are unknown if the configuration of the mesh is missing', async () =>
    expect(await diagnosedPaths(['/docs/*'], {})).toEqual([
      expect.stringMatching(/^unknown: Istio's ConfigMap istio-system\/istio can't be read/),
    ]))

  test.each([{ paths: ['/docs'] }, { paths: [] }])('are not checked for $paths', async ({ paths }) =>
    expect(await diagnosedPaths(paths, meshOf(''))).toEqual([]),
  )
})

describe('is needed', () => {
  test.each([
    { says: 'by a claim in the mesh', claims: [meshClaim()], platform: withMesh(), needed: true },
    { says: 'not by other claims', claims: [resolvedClaim()], platform: withMesh(), needed: false },
    { says: 'by a platform with a mesh', claims: [], platform: withMesh(), needed: true },
    { says: 'not by other platforms', claims: [], platform: builtInPlatform, needed: false },
  ])('$says: $needed', ({ claims, platform, needed }) => expect(meshDiagnosis.isNeeded({ claims, platform })).toBe(needed))
})
