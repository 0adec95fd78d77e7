// Knative Serving, Eventing and Kourier as their releases install them, changed only as far as a small node and short tests need it.
import { join } from 'node:path'
import { at, isObject, items, type JsonObject } from '../../../src/kubernetes/json.ts'
import { manifestsIn, released } from '../cluster/knative.ts'
import type { Pin } from '../cluster/programs.ts'
import { moduleSources } from '../go-tools.ts'

const SERVING = 'cluster/programs/serving'
const EVENTING = 'cluster/programs/eventing'
const KOURIER = 'cluster/programs/kourier'

const pin = (module: string, program: string, called: string, seconds: number): Pin => ({
  module,
  program,
  called,
  seconds,
  place: 'pod',
})

/** By the import path that the manifests name as image. The seconds are those after `npm run test:cluster` built its programs. */
export const programs: Readonly<Record<string, Pin>> = {
  'serving/cmd/queue': pin(SERVING, 'queue', 'Knative queue proxy', 16),
  'serving/cmd/activator': pin(SERVING, 'activator', 'Knative activator', 32),
  'serving/cmd/controller': pin(SERVING, 'controller', 'Knative Serving controller', 49),
  'serving/cmd/autoscaler': pin(SERVING, 'autoscaler', 'Knative autoscaler', 29),
  'serving/cmd/webhook': pin(SERVING, 'webhook', 'Knative Serving webhook', 23),
  'net-kourier/cmd/kourier': pin(KOURIER, 'kourier', 'Kourier', 60),
  'eventing/cmd/controller': pin(EVENTING, 'controller', 'Knative Eventing controller', 30),
  'eventing/cmd/webhook': pin(EVENTING, 'webhook', 'Knative Eventing webhook', 20),
  'eventing/cmd/mtchannel_broker': pin(EVENTING, 'mtchannel_broker', 'Knative Broker controller', 20),
  'eventing/cmd/broker/ingress': pin(EVENTING, 'ingress', 'Knative Broker ingress', 20),
  'eventing/cmd/broker/filter': pin(EVENTING, 'filter', 'Knative Broker filter', 20),
  'eventing/cmd/in_memory/channel_controller': pin(EVENTING, 'channel_controller', 'Knative channel controller', 20),
  'eventing/cmd/in_memory/channel_dispatcher': pin(EVENTING, 'channel_dispatcher', 'Knative channel dispatcher', 20),
}

/** The image of Kourier's gateway, whatever its version. */
const ENVOY = /^docker\.io\/envoyproxy\/envoy:/

const IMPORT_PATH = /^ko:\/\/knative\.dev\//

// One replica of each on one node needs no autoscaler, and nothing here measures pods.
const UNWANTED = 'HorizontalPodAutoscaler'

const settings: Readonly<Record<string, JsonObject>> = {
  // Digests are a subject of Knative's own tests.
  'config-deployment': { 'registries-skipping-tag-resolving': 'ghcr.io' },
  // Without a domain every service is cluster-local.
  'config-domain': { 'example.com': '' },
  'config-network': { 'ingress-class': 'kourier.ingress.networking.knative.dev' },
  // The last pod stays for this long after the window.
  'config-autoscaler': { 'scale-to-zero-grace-period': '6s' },
}

/** Less than the releases ask for: the node has two CPUs for everything. */
const resources = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '600Mi' } }

/** Asks at once and often, and never restarts a program because the node is busy. */
function quicklyReady({ livenessProbe: _, ...container }: JsonObject): JsonObject {
  const { readinessProbe } = container
  if (!isObject(readinessProbe)) return container
  return { ...container, readinessProbe: { ...readinessProbe, initialDelaySeconds: 0, periodSeconds: 1, timeoutSeconds: 5 } }
}

export interface Images {
  /** The images of the programs, by import path. */
  readonly ofProgram: Readonly<Record<string, string>>
  readonly envoy: string
}

/** Every manifest with these images; without the Deployments whose programs are not among them. */
export async function knativeManifests({ ofProgram, envoy }: Images): Promise<JsonObject[]> {
  const kourier = manifestsIn(join(await moduleSources(KOURIER, 'knative.dev/net-kourier'), 'config'))
  // The images of sources and sinks, without which Eventing's controller does not start.
  const integrations = manifestsIn(join(await moduleSources(EVENTING, 'knative.dev/eventing'), 'third_party/eventing-integrations-latest'))
  const imageOf = (image: unknown): string | undefined =>
    ENVOY.test(String(image)) ? envoy : ofProgram[String(image).replace(IMPORT_PATH, '')]

  return [...(await released()), ...integrations, ...kourier].flatMap((manifest): JsonObject[] => {
    const { kind } = manifest
    const name = String(at(manifest, 'metadata', 'name'))
    if (kind === UNWANTED) return []
    if (kind === 'ConfigMap') return [configured(manifest, name, imageOf)]
    if (kind === 'Image') return [{ ...manifest, spec: { image: imageOf(at(manifest, 'spec', 'image')) ?? '' } }]
    if (kind !== 'Deployment' && kind !== 'StatefulSet') return [manifest]

    const containers = items(at(manifest, 'spec', 'template', 'spec', 'containers')).map(container => {
      const image = imageOf(at(container, 'image'))
      return image === undefined ? undefined : { ...quicklyReady(container as JsonObject), image, resources }
    })
    const template = at(manifest, 'spec', 'template') as JsonObject
    const spec = { ...(template.spec as JsonObject), containers: containers.filter(container => container !== undefined) }
    return containers.includes(undefined)
      ? []
      : [{ ...manifest, spec: { ...(manifest.spec as JsonObject), template: { ...template, spec } } }]
  })
}

function configured(manifest: JsonObject, name: string, imageOf: (image: unknown) => string | undefined): JsonObject {
  const data = isObject(manifest.data) ? manifest.data : {}
  const key = 'queue-sidecar-image'
  const sidecar = data[key] === undefined ? {} : { [key]: imageOf(data[key]) ?? '' }
  return { ...manifest, data: { ...data, ...settings[name], ...sidecar } }
}
