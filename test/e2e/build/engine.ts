// Tekton, Shipwright and Flux's source-controller as pods, from the manifests of their releases, and the strategies of the platform.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { issueCertificate } from '../../../scripts/certificates.ts'
import { at, isObject, items, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import { type Cluster, manifests } from '../cluster/cluster.ts'
import { manifestsIn } from '../cluster/knative.ts'
import { moduleSources } from '../go-tools.ts'
import { FRAME_IMAGE, pushBuildImages } from './images.ts'
import { buildPrograms, FLUX, PROGRAMS } from './programs.ts'

export const TEKTON = 'tekton-pipelines'
export const SHIPWRIGHT = 'shipwright-build'
export const FLUX_NAMESPACE = 'flux-system'
const WAITING = '--timeout=60s'
const CERTIFICATE = 'shipwright-build-webhook-cert'

/** The strategy of Dockerfiles, of Shipwright's samples. */
export const DOCKERFILE = 'buildah-shipwright-managed-push'
/** The strategy of repositories that only export a handler. */
export const HANDLER = 'nodejs-handler'

type Images = Readonly<Record<string, string>>

const KO = /^ko:\/\/github\.com\/[^/]+\/[^/]+\/cmd\//
const FLUX_IMAGE = /^(ghcr\.io\/)?fluxcd\/source-controller(:|$)/
const imageOf = (images: Images, text: string): string => {
  const name = FLUX_IMAGE.test(text) ? 'source-controller' : text.replace(KO, '')
  // Tekton's other programs are never called: they are for sidecars.
  return images[name] ?? (KO.test(text) ? (images.entrypoint ?? '') : text)
}

/** Less than the releases ask for: the node has two CPUs for everything. */
const resources = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '600Mi' } }

/** With our images; asks at once and often whether it is ready, and never restarts a program because the node is busy. */
function deployed(manifest: JsonObject, images: Images): JsonObject {
  const template = at(manifest, 'spec', 'template') as JsonObject
  const pod = template.spec as JsonObject
  const containers = items(pod.containers)
    .filter(isObject)
    .map(({ livenessProbe: _, readinessProbe, ...container }) => ({
      ...container,
      image: imageOf(images, textOf(container.image)),
      args: items(container.args).map(argument => imageOf(images, textOf(argument))),
      env: items(container.env)
        .filter(isObject)
        .map(variable => withImage(variable, images)),
      resources,
      ...(isObject(readinessProbe) && {
        readinessProbe: { ...readinessProbe, initialDelaySeconds: 0, periodSeconds: 1, timeoutSeconds: 5 },
      }),
    }))
  return {
    ...manifest,
    spec: { ...(manifest.spec as JsonObject), template: { ...template, spec: { ...pod, containers } } },
  }
}

const withImage = (variable: JsonObject, images: Images): JsonObject =>
  typeof variable.value === 'string' ? { ...variable, value: imageOf(images, variable.value) } : variable

const isFirst = ({ kind }: JsonObject) => kind === 'Namespace' || kind === 'CustomResourceDefinition'

async function tekton(): Promise<JsonObject[]> {
  const config = join(await moduleSources(PROGRAMS, 'github.com/tektoncd/pipeline'), 'config')
  // Its events and its remote resolvers have programs of their own.
  const unwanted = /^(events\.yaml|webhook-hpa\.yaml|resolvers)/
  return manifestsIn(config, name => !unwanted.test(name))
}

async function shipwright({ authority }: Cluster): Promise<JsonObject[]> {
  const { certificate, key } = issueCertificate(authority, {
    commonName: 'shp-build-webhook',
    usages: ['server'],
    dnsNames: [`shp-build-webhook.${SHIPWRIGHT}.svc`],
  })
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: CERTIFICATE, namespace: SHIPWRIGHT },
    data: { 'tls.crt': encoded(certificate), 'tls.key': encoded(key) },
  }
  const deploy = join(await moduleSources(PROGRAMS, 'github.com/shipwright-io/build'), 'deploy')
  return [...manifestsIn(deploy).map(manifest => withAuthority(manifest, encoded(authority.certificate))), secret]
}

/** The CA by which the API server trusts the webhook that converts this kind. */
function withAuthority(manifest: JsonObject, caBundle: string): JsonObject {
  const conversion = at(manifest, 'spec', 'conversion')
  if (!isObject(conversion) || !isObject(conversion.webhook)) return manifest
  const clientConfig = { ...(conversion.webhook.clientConfig as JsonObject), caBundle }
  return {
    ...manifest,
    spec: { ...(manifest.spec as JsonObject), conversion: { ...conversion, webhook: { ...conversion.webhook, clientConfig } } },
  }
}

async function flux({ kubectl }: Cluster): Promise<JsonObject[]> {
  const config = join(await moduleSources(FLUX, 'github.com/fluxcd/source-controller'), 'config')
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: FLUX_NAMESPACE } }
  const parts = await Promise.all(['crd', 'rbac', 'manager'].map(part => kubectl(['kustomize', join(config, part)])))
  const isClusterWide = (manifest: JsonObject) => /^(Cluster|CustomResource)/.test(textOf(manifest.kind))
  return [
    namespace,
    ...parts.flatMap(manifests).map((manifest): JsonObject => {
      const subjects = items(manifest.subjects)
        .filter(isObject)
        .map(subject => ({ ...subject, namespace: FLUX_NAMESPACE }))
      return {
        ...manifest,
        ...(!isClusterWide(manifest) && { metadata: { ...(manifest.metadata as JsonObject), namespace: FLUX_NAMESPACE } }),
        ...(subjects.length > 0 && { subjects }),
      }
    }),
  ]
}

/** The strategies, with our images in place of the public ones. */
async function strategies(images: Images): Promise<JsonObject[]> {
  const samples = join(await moduleSources(PROGRAMS, 'github.com/shipwright-io/build'), 'samples/v1beta1/buildstrategy/buildah')
  const files = [
    join(samples, 'buildstrategy_buildah_shipwright_managed_push_cr.yaml'),
    new URL('strategies/nodejs-handler.yaml', import.meta.url),
  ]
  return files
    .flatMap(file => manifests(readFileSync(file, 'utf8').replaceAll('$(FRAME)', FRAME_IMAGE)))
    .map(manifest => ({
      ...manifest,
      spec: {
        ...(manifest.spec as JsonObject),
        steps: items(at(manifest, 'spec', 'steps'))
          .filter(isObject)
          .map(step => ({ ...step, image: images.buildah ?? '', imagePullPolicy: 'IfNotPresent' })),
      },
    }))
}

/** Installs all of it; resolves when builds can run. */
export async function startEngine(cluster: Cluster): Promise<void> {
  const { applyAll, kubectl, until, reached, say } = cluster
  const images = await pushBuildImages(cluster, await buildPrograms({ say, begin: () => undefined }))
  reached("the engine's images are in the registry")
  const all = (await Promise.all([tekton(), shipwright(cluster), flux(cluster)])).flat()
  await applyAll(all.filter(isFirst))
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', WAITING])
  const rest = all.filter(manifest => !isFirst(manifest))
  const isProgram = ({ kind }: JsonObject) => kind === 'Deployment'
  // A webhook that has registered itself and does not answer yet refuses objects for a moment.
  await until('the objects of the engine', () => applyAll(rest.filter(one => !isProgram(one))).then(() => true), { everyMs: 1_000 })
  await until('the programs of the engine', () => applyAll(rest.filter(isProgram).map(one => deployed(one, images))).then(() => true), {
    everyMs: 1_000,
  })
  for (const namespace of [TEKTON, SHIPWRIGHT, FLUX_NAMESPACE])
    await until(`the pods of ${namespace}`, () =>
      kubectl(['-n', namespace, 'wait', 'deployment', '--all', '--for=condition=Available', WAITING]),
    )
  const made = await strategies(images)
  await until('the strategies', () => applyAll(made).then(() => true), { everyMs: 1_000 })
  reached('Tekton, Shipwright and Flux are ready')
}
