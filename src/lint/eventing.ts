// The Brokers and sinks that the events of Knative Eventing go to.
import type { Path } from '../claim/findings.ts'
import { at, type Json, nonEmptyText } from '../kubernetes/json.ts'
import { groupOf } from '../kubernetes/objects.ts'
import { type Inventory, KNATIVE_SERVICE, type LintObject, SERVICE } from './inventory.ts'
import { hasService, noService, serviceOf } from './routes.ts'
import { eachOf, type Report, reportMissing } from './rule.ts'

const TRIGGER = 'eventing.knative.dev/Trigger'
const BROKER = 'eventing.knative.dev/Broker'
/** Knative creates it in a namespace that asks for it. */
const DEFAULT_BROKER = 'default'

export const missingBroker = eachOf([TRIGGER], (object, inventory) => {
  const { value, namespace } = object
  const name = nonEmptyText(at(value, 'spec', 'broker'))
  if (name === undefined || name === DEFAULT_BROKER || inventory.find(BROKER, namespace, name) !== undefined) return []
  return [reportMissing(inventory, object, ['spec', 'broker'], { kind: 'Broker', groupKinds: [BROKER], namespace, name })]
})

export const senders = /^(?:eventing|sources|messaging|flows)\.knative\.dev\//
export const sinks: readonly Path[] = [
  ['spec', 'sink'],
  ['spec', 'subscriber'],
  ['spec', 'reply'],
  ['spec', 'delivery', 'deadLetterSink'],
]

export const missingSink = (inventory: Inventory): Report[] =>
  inventory.objects
    .filter(({ groupKind }) => senders.test(groupKind))
    .flatMap(object => sinks.flatMap(path => wrongSink(object, inventory, path, at(object.value, ...path))))

function wrongSink(object: LintObject, inventory: Inventory, path: Path, sink: Json | undefined): Report[] {
  const uri = nonEmptyText(at(sink, 'uri'))
  const service = /^https?:\/\/([^/:]+)/.exec(uri ?? '')?.[1]
  const called = service?.endsWith('.svc.cluster.local') ? serviceOf(service, object.namespace) : undefined
  if (called !== undefined && !hasService(inventory, called)) return [noService(inventory, object, called, [...path, 'uri'])]
  const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map(field => nonEmptyText(at(sink, 'ref', field)))
  if (kind === undefined || name === undefined) return []
  const namespace = nonEmptyText(at(sink, 'ref', 'namespace')) ?? object.namespace
  const groupKind = `${nonEmptyText(at(sink, 'ref', 'group')) ?? groupOf(apiVersion ?? '')}/${kind}`
  const place = [...path, 'ref', 'name']
  if (groupKind === SERVICE)
    return hasService(inventory, { name, namespace }) ? [] : [noService(inventory, object, { name, namespace }, place)]
  if (inventory.find(groupKind, namespace, name) !== undefined) return []
  const said = groupKind === KNATIVE_SERVICE ? 'Knative Service' : kind
  return [reportMissing(inventory, object, place, { kind: said, groupKinds: [groupKind], namespace, name })]
}
