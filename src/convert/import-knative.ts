// Turns Knative manifests into a claim, and lists what the claim can't express: the differences between the given manifests and
// the rendered ones.

import { eventingOf } from '../capabilities/knative-eventing/import.ts'
import { servingOf } from '../capabilities/knative-serving/import.ts'
import type { Path } from '../claim/findings.ts'
import { at, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { groupKindOf, type Manifest } from '../kubernetes/objects.ts'
import { sortKeys } from '../kubernetes/sort-keys.ts'
import type { Platform } from '../platform/platform.ts'
import { compare, type Row } from './compare.ts'
import { accountOf } from './identity.ts'
import { nameOf, namespaceOf, type Refused, refused, render } from './render.ts'

/** What a claim can't express. */
export interface Unsaid {
  /** Kind and name of the manifest. */
  readonly object: string
  readonly path: Path
  /** What becomes of it. */
  readonly problem: string
}

export type Imported =
  /** `index` is that of the manifest. */
  { readonly ok: true; readonly claim: JsonObject; readonly unsaid: readonly (Unsaid & { readonly index: number })[] } | Refused

/** Reads a Knative Service, and the Broker, Triggers and KafkaSource that bring events to it. */
export function importKnative(manifests: readonly JsonObject[], ofPlatform: Platform): Imported {
  // The source of the manifests may have enabled every feature of Knative.
  const platform: Platform = {
    ...ofPlatform,
    features: { ...ofPlatform.features, knativeInitContainers: true, knativeInitialScaleZero: true, knativeEmptyDir: true },
  }
  const services = manifests.filter(manifest => groupKindOf(manifest) === 'serving.knative.dev/Service')
  const [service, second] = services
  const name = nameOf(service)
  if (service === undefined || name === undefined) return refused('needs a Service of serving.knative.dev with a name')
  if (second !== undefined)
    return refused(`holds ${services.length} Services of serving.knative.dev; each becomes a claim of its own, so import them one by one`)
  const namespace = namespaceOf(service)
  const account = accountOf(service, manifests)
  const eventing = eventingOf(manifests, name, namespace, platform)
  const rendered = render({ name, namespace }, { ...servingOf(service, account, platform), ...(eventing && { eventing }) }, platform)
  if (!rendered.ok) return rendered
  const made = rendered.resources.map(({ manifest }) => manifest)
  // A namespace has accounts of other services too.
  const isOthers = (manifest: JsonObject) => groupKindOf(manifest) === '/ServiceAccount' && manifest !== account
  const unsaid = manifests.flatMap((manifest, index) =>
    isOthers(manifest) ? [] : unsaidOf(manifest, made).map(each => ({ ...each, index })),
  )
  return { ok: true, claim: rendered.claim, unsaid }
}

/** The part of a manifest that the rendered objects do not have. */
function unsaidOf(given: JsonObject, made: readonly Manifest[]): Unsaid[] {
  const sameKind = made.filter(other => groupKindOf(other) === groupKindOf(given))
  const match = sameKind.find(other => other.metadata.name === nameOf(given)) ?? sameKind.find(({ spec }) => isAlike(given, spec))
  return compare({ given, made: match }, {}).flatMap(toUnsaid)
}

/** Fields that the claim adds and that can break a service which worked without them. */
const RISKY: readonly unknown[] = ['livenessProbe', 'readinessProbe', 'securityContext', 'sizeLimit']

function toUnsaid({ object, place: path, verdict, was, is, because = '' }: Row): Unsaid[] {
  const found = (problem: string) => [{ object, path, problem }]
  switch (verdict) {
    case 'same':
      return []
    case 'added':
      return RISKY.includes(path.at(-1)) ? found(`is added: ${JSON.stringify(is)}`) : []
    case 'unsaid':
      return found(path.length === 0 ? 'is left out' : `is left out: ${JSON.stringify(was)}`)
    case 'different':
      // The value is the same, but no longer finds what it refers to.
      if (was === is) return found(because)
      return found(
        path.join('.') === 'metadata.name' ? `becomes ${textOf(is)}` : `becomes ${JSON.stringify(is)}, was ${JSON.stringify(was)}`,
      )
    default:
      return verdict satisfies never
  }
}

/** Whether two objects of different names send the same events. */
const isAlike = ({ spec: given }: JsonObject, spec: Json | undefined) =>
  ['subscriber', 'sink'].some(field => at(spec, field) !== undefined) && eventsOf(given) === eventsOf(spec)

/** The webhook of Knative turns a missing filter into an empty one. */
const eventsOf = (spec: Json | undefined): string =>
  JSON.stringify(sortKeys([at(spec, 'filter', 'attributes') ?? {}, items(at(spec, 'filters')), items(at(spec, 'topics'))]))
