// Creates what claims in a mesh render in a real API server, with a real istiod as its admission.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { mesh as capability } from '../../../src/capabilities/mesh/index.ts'
import { at, textOf } from '../../../src/kubernetes/json.ts'
import type { Manifest } from '../../../src/kubernetes/objects.ts'
import { type Cluster, manifests } from '../cluster/cluster.ts'
import { clusterOfFile } from '../cluster/cluster-of-file.ts'
import { freePort } from '../cluster/ports.ts'
import { crdFiles, witness } from './witness.ts'
import { generated, isOfMesh, meshConfig, ofExamples } from './world.ts'

const GENERATED = 50
const SYSTEM = 'istio-system'

const namespace = ({ api }: Cluster, name: string) => api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

async function startIstiod({ api, folder, kubeconfig, network, processes, until }: Cluster): Promise<void> {
  const meshFile = join(folder, 'mesh.yaml')
  writeFileSync(meshFile, stringify(meshConfig))
  const [port, ...others] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()]
  const address = (number: number | undefined) => `127.0.0.1:${number}`
  const args = [
    ...[`--kubeconfig=${kubeconfig}`, `--meshConfig=${meshFile}`, `--httpsAddr=${address(port)}`, `--httpAddr=${address(others[0])}`],
    ...[`--grpcAddr=${address(others[1])}`, `--secureGRPCAddr=${address(others[2])}`, `--monitoringAddr=${address(others[3])}`],
    ...['--ctrlz_port=0', '--profile=false'],
  ]
  const environment = {
    ISTIOD_CUSTOM_HOST: 'localhost',
    CLUSTER_ID: 'Kubernetes',
    POD_NAMESPACE: SYSTEM,
    POD_NAME: 'istiod-0',
    INJECT_ENABLED: 'false',
    PILOT_ENABLE_GATEWAY_API: 'false',
    XDS_AUTH: 'false',
  }
  processes.start({ name: 'istiod', file: await witness(), args: ['istiod', 'discovery', ...args], environment })
  network.join('localhost', port, port)
  await until('istiod', async () => (await fetch(`http://${address(others[0])}/ready`)).ok)
  const secret = await until("istiod's certificate", () =>
    api.find({ apiVersion: 'v1', kind: 'Secret', namespace: SYSTEM, name: 'istio-ca-secret' }),
  )
  await api.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'istiod' },
    webhooks: [
      {
        name: 'validation.istio.io',
        clientConfig: { url: `https://localhost:${port}/validate`, caBundle: textOf(at(secret, 'data', 'ca-cert.pem')) },
        rules: [
          {
            operations: ['CREATE', 'UPDATE'],
            apiGroups: ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io'],
            apiVersions: ['*'],
            resources: ['*'],
          },
        ],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  })
}

const created = (manifest: Manifest): Promise<string> => {
  const { apiVersion, kind, metadata } = manifest
  const plural = capability.kinds.find(one => one.kind === kind)?.plural
  const path = `/apis/${apiVersion}/namespaces/${metadata.namespace}/${plural}?fieldValidation=Strict&dryRun=All`
  return given()
    .api.call('POST', path, manifest)
    .then(
      () => 'created',
      (error: unknown) => `${kind} ${metadata.name}: ${error instanceof Error ? error.message : error}`,
    )
}

const given = clusterOfFile({ bare: true }, async cluster => {
  const crds = (await crdFiles()).flatMap(file => manifests(readFileSync(file, 'utf8')))
  await Promise.all([cluster.applyAll(crds), namespace(cluster, SYSTEM)])
  await startIstiod(cluster)
  return cluster
})

describe('an API server with istiod as its admission creates the objects of', () => {
  test.each([
    { says: 'all examples', cases: ofExamples },
    { says: `${GENERATED} generated claims`, cases: () => generated(GENERATED) },
  ])('$says', async ({ says, cases }) => {
    const objects = cases().flatMap(one => one.manifests.filter(isOfMesh))
    const namespaces = new Set(objects.map(({ metadata }) => textOf(metadata.namespace)))
    await Promise.all([...namespaces].map(name => namespace(given(), name).catch(() => undefined)))
    const answers = await Promise.all(objects.map(created))
    expect(answers.filter(answer => answer !== 'created').slice(0, 5)).toEqual([])
    console.log(`${says}: ${answers.length} objects created`)
  })
})

// Proves that istiod is asked.
test('istiod refuses a path that it takes for a pattern', async () => {
  const policy: Manifest = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'a', namespace: 'default' },
    spec: { rules: [{ to: [{ operation: { paths: ['/v1/{id}'] } }] }] },
  }
  expect(await created(policy)).toMatch(/admission webhook "validation.istio.io" denied the request.*\{/)
})
