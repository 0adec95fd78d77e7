import { at, isObject, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'

/** A few words on what one would open a manifest for; nothing for a kind that has nothing to tell. */
export function factsOf(manifest: JsonObject): string {
  const describe = byKind.get(`${textOf(manifest.apiVersion).replace(/\/.*/, '')} ${textOf(manifest.kind)}`)
  return describe?.(manifest).filter(isTelling).join(', ') ?? ''
}

type Facts = (manifest: JsonObject) => (string | undefined)[]

const isTelling = (fact: string | undefined): fact is string => fact !== undefined && fact !== ''

const byKind = new Map<string, Facts>([
  ['apps Deployment', manifest => containerFacts(at(manifest, 'spec', 'template', 'spec'))],
  ['v1 Service', ({ spec }) => [...items(at(spec, 'ports')).map(portFact), affinity(at(spec, 'sessionAffinity'))]],
  [
    'keda.sh ScaledObject',
    ({ spec }) => [scale(at(spec, 'minReplicaCount'), at(spec, 'maxReplicaCount')), ...items(at(spec, 'triggers')).map(lagFact)],
  ],
  ['serving.knative.dev Service', knativeFacts],
  ['eventing.knative.dev Broker', manifest => [text(at(manifest, 'metadata', 'annotations', 'eventing.knative.dev/broker.class'))]],
  ['eventing.knative.dev Trigger', ({ spec }) => [`from ${text(at(spec, 'broker'))}`, `to ${address(at(spec, 'subscriber'))}`]],
  ['sources.knative.dev KafkaSource', ({ spec }) => [items(at(spec, 'topics')).join(', '), `to ${address(at(spec, 'sink'))}`]],
])

const text = (value: Json | undefined): string | undefined =>
  value === undefined || value === null || isObject(value) ? undefined : textOf(value)

function containerFacts(podSpec: Json | undefined): (string | undefined)[] {
  const container = at(podSpec, 'containers', 0)
  return [text(at(container, 'image')), span(container, 'cpu', 'CPU'), span(container, 'memory', 'memory')]
}

function span(container: Json | undefined, resource: string, unit: string): string | undefined {
  const [least, most] = ['requests', 'limits'].map(bound => text(at(container, 'resources', bound, resource)))
  return least === undefined && most === undefined ? undefined : `${least ?? '?'}–${most ?? '?'} ${unit}`
}

const portFact = (port: Json) => `${text(at(port, 'port'))} → ${text(at(port, 'targetPort'))}`
const affinity = (value: Json | undefined) => (value === undefined || value === 'None' ? undefined : `sticky by ${text(value)}`)
const scale = (least: Json | undefined, most: Json | undefined) =>
  least === undefined && most === undefined ? undefined : `${text(least) ?? 0}–${text(most) ?? '∞'} replicas`
/** Beside a name the address is a path of it. */
const address = (target: Json | undefined) => `${text(at(target, 'ref', 'name')) ?? ''}${text(at(target, 'uri')) ?? ''}`

function lagFact(trigger: Json): string | undefined {
  const [stream, consumer, lag] = ['stream', 'consumer', 'lagThreshold'].map(field => text(at(trigger, 'metadata', field)))
  return stream === undefined ? text(at(trigger, 'type')) : `one for each ${lag} messages waiting in ${stream}/${consumer}`
}

function knativeFacts(manifest: JsonObject): (string | undefined)[] {
  const template = at(manifest, 'spec', 'template')
  const annotation = (name: string) => at(template, 'metadata', 'annotations', `autoscaling.knative.dev/${name}`)
  const most = annotation('max-scale')
  return [...containerFacts(at(template, 'spec')), scale(annotation('min-scale'), most === '0' ? undefined : most)]
}
