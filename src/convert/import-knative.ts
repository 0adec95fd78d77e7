// Turns Knative manifests into a claim, and lists what the claim can't express: the differences between the given manifests and
// the rendered ones.

import { eventingOf } from '../capabilities/knative-eventing/import.ts'
import { servingOf } from '../capabilities/knative-serving/import.ts'
import type { Finding, Path } from '../claim/findings.ts'
import { KIND } from '../claim/identity.ts'
import { at, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { Platform } from '../platform/platform.ts'
import { compose } from '../reconcile/compose.ts'
import { API_VERSION, parseClaim } from '../reconcile/parse-claim.ts'
import { compare, type Row } from './compare.ts'
import { mainOf } from './containers.ts'
import { brokenReferences } from './env-references.ts'

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
  | { readonly ok: true; readonly claim: JsonObject; readonly unsaid: readonly (Unsaid & { readonly index: number })[] }
  /** The platform refuses the claim; or no claim is possible, and the finding says why. */
  | { readonly ok: false; readonly claim?: JsonObject; readonly findings: readonly Finding[] }

/** Reads a Knative Service, and the Broker, Triggers and KafkaSource that bring events to it. */
export function importKnative(manifests: readonly JsonObject[], ofPlatform: Platform): Imported {
  // The source of the manifests may have enabled every feature of Knative.
  const platform: Platform = { ...ofPlatform, features: { knativeInitContainers: true, knativeInitialScaleZero: true } }
  const services = manifests.filter(manifest => groupKind(manifest) === 'serving.knative.dev/Service')
  const [service, second] = services
  const name = nonEmptyText(at(service, 'metadata', 'name'))
  if (service === undefined || name === undefined) return notImported('needs a Service of serving.knative.dev with a name')
  if (second !== undefined)
    return notImported(
      `holds ${services.length} Services of serving.knative.dev; each becomes a claim of its own, so import them one by one`,
    )
  const namespace = nonEmptyText(at(service, 'metadata', 'namespace')) ?? 'default'

  const eventing = eventingOf(manifests, name, namespace, platform)
  const claim = {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace },
    spec: { ...servingOf(service, platform), ...(eventing && { eventing }) },
  }
  const parsed = parseClaim(claim, platform)
  if (!parsed.ok) return { ok: false, claim, findings: parsed.findings }
  const made = compose(parsed.claim, { ...platform, composeAs: 'Native' }, {}).resources.map(({ manifest }) => manifest)
  const unsaid = manifests.flatMap((manifest, index) => unsaidOf(manifest, made).map(each => ({ ...each, index })))
  return { ok: true, claim, unsaid }
}

const nonEmptyText = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

const notImported = (problem: string): Imported => ({ ok: false, findings: [{ code: 'REQUIRED', path: [], problem }] })

const groupKind = ({ apiVersion, kind }: JsonObject) => `${textOf(apiVersion).split('/')[0]}/${textOf(kind)}`

/** The part of a manifest that the rendered objects do not have. */
function unsaidOf(given: JsonObject, made: readonly Manifest[]): Unsaid[] {
  const object = `${textOf(given.kind)} ${textOf(at(given, 'metadata', 'name'))}`
  const sameKind = made.filter(other => groupKind(other) === groupKind(given))
  const match =
    sameKind.find(other => other.metadata.name === at(given, 'metadata', 'name')) ?? sameKind.find(({ spec }) => isAlike(given, spec))
  return [...compare({ given, made: match }, {}).flatMap(toUnsaid), ...(match ? referencesIn(object, given, match) : [])]
}

/** Fields that the claim adds and that can break a service which worked without them. */
const RISKY: readonly unknown[] = ['livenessProbe', 'readinessProbe', 'securityContext']

function toUnsaid({ object, place: path, verdict, was, is }: Row): Unsaid[] {
  const found = (problem: string) => [{ object, path, problem }]
  switch (verdict) {
    case 'same':
      return []
    case 'added':
      return RISKY.includes(path.at(-1)) ? found(`is added: ${JSON.stringify(is)}`) : []
    case 'unsaid':
      return found(path.length === 0 ? 'is left out' : `is left out: ${JSON.stringify(was)}`)
    case 'different':
      return found(
        path.join('.') === 'metadata.name' ? `becomes ${textOf(is)}` : `becomes ${JSON.stringify(is)}, was ${JSON.stringify(was)}`,
      )
    default:
      return verdict satisfies never
  }
}

function referencesIn(object: string, manifest: JsonObject, made: JsonObject): Unsaid[] {
  const containers = ['spec', 'template', 'spec', 'containers']
  const env = [...containers, mainOf(manifest), 'env']
  return brokenReferences(items(at(manifest, ...env)), items(at(made, ...containers, 0, 'env'))).map(({ index, problem }) => ({
    object,
    path: [...env, index],
    problem,
  }))
}

/** Whether two objects of different names send the same events. */
const isAlike = (manifest: JsonObject, spec: Json | undefined) =>
  ['subscriber', 'sink'].some(field => at(spec, field) !== undefined) &&
  JSON.stringify([at(manifest, 'spec', 'filter'), at(manifest, 'spec', 'topics')]) ===
    JSON.stringify([at(spec, 'filter'), at(spec, 'topics')])
