// Creates what claims in a mesh render in a real API server, with a real istiod as its admission.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { createAuthority, issueCertificate } from '../../../scripts/certificates.ts'
import { mesh as capability } from '../../../src/capabilities/mesh/index.ts'
import { at, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import type { Manifest } from '../../../src/kubernetes/objects.ts'
import { type Api, createApi } from '../cluster/api.ts'
import { freePort } from '../cluster/ports.ts'
import { createProcesses } from '../cluster/processes.ts'
import { until } from '../cluster/until.ts'
import { goTool } from '../go-tools.ts'
import { crdFiles, witness } from './witness.ts'
import { generated, isOfMesh, meshConfig, ofExamples } from './world.ts'

const GENERATED = 50
const TOKEN = 'administrator'
const SYSTEM = 'istio-system'

const folder = mkdtempSync(join(tmpdir(), 'mesh-admission-'))
const processes = createProcesses(folder)
let api: Api

const write = (name: string, content: string): string => {
  const file = join(folder, name)
  writeFileSync(file, content, { mode: 0o600 })
  return file
}
const flags = (values: Readonly<Record<string, string | number | boolean>>) =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`)
const wait = <T>(what: string, poll: () => Promise<T> | T) => until(what, poll, { timeoutMs: 60_000, everyMs: 100, check: processes.check })

/** etcd and the API server, without controllers. */
async function startApiServer(): Promise<string> {
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()]
  const etcd = `http://127.0.0.1:${etcdPort}`
  const etcdFlags = {
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': etcd,
    'advertise-client-urls': etcd,
    'listen-peer-urls': `http://127.0.0.1:${peerPort}`,
    'log-level': 'warn',
    'unsafe-no-fsync': true,
  }
  processes.start({ name: 'etcd', file: await goTool('cluster/programs/etcd'), args: flags(etcdFlags) })
  const authority = createAuthority()
  const { certificate, key } = issueCertificate(authority, { commonName: 'api', usages: ['server'], addresses: ['127.0.0.1'] })
  const account = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const accountFile = write('accounts.key', account)
  const serverFlags = {
    'etcd-servers': etcd,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'endpoint-reconciler-type': 'none',
    'secure-port': port,
    'tls-cert-file': write('server.crt', certificate),
    'tls-private-key-file': write('server.key', key),
    'cert-dir': folder,
    'token-auth-file': write('tokens.csv', `${TOKEN},admin,admin,"system:masters"\n`),
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': accountFile,
    'service-account-signing-key-file': accountFile,
    'service-cluster-ip-range': '10.0.0.0/16',
  }
  processes.start({ name: 'kube-apiserver', file: await goTool('cluster/programs/kubernetes', 'kube-apiserver'), args: flags(serverFlags) })
  const url = `https://127.0.0.1:${port}`
  api = createApi(url, authority.certificate, TOKEN)
  await wait('the API server', async () => (await api.call('GET', '/readyz')).message === 'ok')
  return write(
    'kubeconfig',
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'a', cluster: { server: url, 'certificate-authority': write('ca.crt', authority.certificate) } }],
      users: [{ name: 'a', user: { token: TOKEN } }],
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      'current-context': 'a',
    }),
  )
}

const namespace = (name: string) => api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

async function startIstiod(kubeconfig: string): Promise<void> {
  const [port, ...others] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()]
  const address = (number: number | undefined) => `127.0.0.1:${number}`
  const istiodFlags = {
    kubeconfig,
    meshConfig: write('mesh.yaml', stringify(meshConfig)),
    httpsAddr: address(port),
    httpAddr: address(others[0]),
    grpcAddr: address(others[1]),
    secureGRPCAddr: address(others[2]),
    monitoringAddr: address(others[3]),
    ctrlz_port: 0,
    profile: false,
  }
  const environment = {
    ISTIOD_CUSTOM_HOST: 'localhost',
    CLUSTER_ID: 'Kubernetes',
    POD_NAMESPACE: SYSTEM,
    POD_NAME: 'istiod-0',
    INJECT_ENABLED: 'false',
    PILOT_ENABLE_GATEWAY_API: 'false',
    XDS_AUTH: 'false',
  }
  processes.start({ name: 'istiod', file: await witness(), args: ['istiod', 'discovery', ...flags(istiodFlags)], environment })
  await wait('istiod', async () => (await fetch(`http://${address(others[0])}/ready`)).ok)
  const secret = await wait("istiod's certificate", () =>
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

async function installCrds(): Promise<void> {
  const files = await crdFiles()
  const crds = files.flatMap(file => parseAllDocuments(readFileSync(file, 'utf8')).map(document => document.toJS() as JsonObject))
  await Promise.all(crds.map(crd => api.create(crd)))
  await wait('the CRDs', async () => {
    const found = await api.list({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' })
    return found.length === crds.length && found.every(crd => JSON.stringify(crd.status).includes('"type":"Established"'))
  })
}

const created = (manifest: Manifest): Promise<string> => {
  const { apiVersion, kind, metadata } = manifest
  const plural = capability.kinds.find(one => one.kind === kind)?.plural
  const path = `/apis/${apiVersion}/namespaces/${metadata.namespace}/${plural}?fieldValidation=Strict&dryRun=All`
  return api.call('POST', path, manifest).then(
    () => 'created',
    (error: unknown) => `${kind} ${metadata.name}: ${error instanceof Error ? error.message : error}`,
  )
}

beforeAll(async () => {
  const kubeconfig = await startApiServer()
  await Promise.all([installCrds(), namespace(SYSTEM)])
  await startIstiod(kubeconfig)
})

afterAll(async () => {
  api?.close()
  await processes.stopAll({ keepLogs: false })
})

describe('an API server with istiod as its admission creates the objects of', () => {
  test.each([
    { says: 'all examples', cases: ofExamples },
    { says: `${GENERATED} generated claims`, cases: () => generated(GENERATED) },
  ])('$says', async ({ says, cases }) => {
    const manifests = cases().flatMap(one => one.manifests.filter(isOfMesh))
    const namespaces = new Set(manifests.map(({ metadata }) => textOf(metadata.namespace)))
    await Promise.all([...namespaces].map(name => namespace(name).catch(() => undefined)))
    const answers = await Promise.all(manifests.map(created))
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
