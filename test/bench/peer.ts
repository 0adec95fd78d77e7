// Renders the same resources of the same claims with function-patch-and-transform, for comparison.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { at, isObject, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { API_VERSION, KIND, worker } from '../e2e/cluster/claim.ts'
import type { Cluster } from '../e2e/cluster/cluster.ts'
import { publishPackage } from '../e2e/cluster/install.ts'
import { freePort } from '../e2e/cluster/ports.ts'

const NAMESPACE = 'crossplane-system'

/** The field of the composite that each marker in a manifest represents. */
const fields: Readonly<Record<string, string>> = {
  'marked-claim': 'spec.claimRef.name',
  'marked-namespace': 'spec.claimRef.namespace',
  'MARKED-STREAM': 'spec.nats.stream',
  'marked-consumer': 'spec.nats.consumer',
  'ghcr.io/acme/marked:1.0.0': 'spec.image',
}

/** A patch for each value of a manifest that depends on the claim. */
function patches(value: Json | undefined, path = ''): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => patches(item, `${path}[${index}]`))
  if (isObject(value))
    return Object.entries(value).flatMap(([key, item]) => patches(item, /[./]/.test(key) ? `${path}[${key}]` : `${path}.${key}`))
  const marker = typeof value === 'string' ? Object.keys(fields).find(one => value.includes(one)) : undefined
  if (typeof value !== 'string' || marker === undefined) return []
  const transforms = [{ type: 'string', string: { type: 'Format', fmt: value.replace(marker, '%s') } }]
  return [{ type: 'FromCompositeFieldPath', fromFieldPath: fields[marker] ?? '', toFieldPath: path.slice(1), transforms }]
}

const readiness: Readonly<Record<string, string>> = { Deployment: 'Available', ScaledObject: 'Ready' }

function resources(): JsonObject[] {
  const nats = { stream: 'MARKED-STREAM', consumer: 'marked-consumer' }
  const parsed = parseClaim(worker('marked-namespace', 'marked-claim', '', { image: 'ghcr.io/acme/marked:1.0.0', nats }), builtInPlatform)
  if (!parsed.ok) throw new Error(`the claim with the markers is invalid: ${JSON.stringify(parsed.findings)}`)
  // Composes observed resources, because only new ones have replicas.
  const observed = Object.fromEntries(compose(parsed.claim, builtInPlatform, {}).resources.map(({ key }) => [key, {}]))
  return compose(parsed.claim, builtInPlatform, observed).resources.map(({ key, manifest }) => {
    const type = readiness[manifest.kind]
    const check = type === undefined ? { type: 'None' } : { type: 'MatchCondition', matchCondition: { type, status: 'True' } }
    return { name: key, base: manifest, patches: patches(manifest), readinessChecks: [check] }
  })
}

/** Installs the function, with this program instead of its pods, and a Composition that calls it. */
export async function installPeer(cluster: Cluster, name: string, program: string): Promise<void> {
  const { folder, api, kubectl, until, mount, processes, network } = cluster
  const source = join(folder, 'peer')
  mkdirSync(source)
  const metadata = { apiVersion: 'meta.pkg.crossplane.io/v1', kind: 'Function', metadata: { name } }
  writeFileSync(join(source, 'crossplane.yaml'), stringify(metadata))
  await publishPackage(cluster, source, program, `bench/${name}:v0.0.0`)
  await api.apply({
    apiVersion: 'pkg.crossplane.io/v1',
    kind: 'Function',
    metadata: { name },
    spec: { package: `ghcr.io/bench/${name}:v0.0.0` },
  })
  const secret = await until('the revision of the peer', async () => {
    const revisions = await api.list({ apiVersion: 'pkg.crossplane.io/v1', kind: 'FunctionRevision' })
    const revision = revisions.find(({ metadata }) => at(metadata, 'labels', 'pkg.crossplane.io/package') === name)
    return at(revision?.spec, 'tlsServerSecretName')
  })
  const port = await freePort()
  const certificates = await mount(NAMESPACE, String(secret))
  processes.start({ name, file: program, args: ['--tls-certs-dir', certificates, '--address', `127.0.0.1:${port}`] })
  network.join(`${name}.${NAMESPACE}`, 9443, port)
  await kubectl(['wait', `function.pkg.crossplane.io/${name}`, '--for=condition=Healthy', '--timeout=120s'])
  const input = { apiVersion: 'pt.fn.crossplane.io/v1beta1', kind: 'Resources', resources: resources() }
  await api.apply({
    apiVersion: 'apiextensions.crossplane.io/v1',
    kind: 'Composition',
    metadata: { name },
    spec: {
      compositeTypeRef: { apiVersion: API_VERSION, kind: `X${KIND}` },
      mode: 'Pipeline',
      pipeline: [{ step: 'render', functionRef: { name }, input }],
    },
  })
}
