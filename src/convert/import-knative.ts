// From manifests of Knative's to the claim that makes them, and to the list of what a claim can't say. That list is the
// difference between what was given and what the claim becomes, so that nothing goes by unnoticed.

import type { Finding } from '../claim/findings.ts'
import { KIND } from '../claim/identity.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../platform/platform.ts'
import { compose } from '../reconcile/compose.ts'
import { API_VERSION, parseClaim } from '../reconcile/parse-claim.ts'
import { differences, type Unsaid } from './differences.ts'
import { brokenReferences } from './env-references.ts'
import { eventingOf } from './knative-eventing.ts'
import { servingOf } from './knative-service.ts'

export type { Unsaid }

export type Imported =
  /** `index` tells which of the manifests it is about. */
  | { readonly ok: true; readonly claim: JsonObject; readonly unsaid: readonly (Unsaid & { readonly index: number })[] }
  /** The claim is not one that the platform takes; or there is none, and the finding says why. */
  | { readonly ok: false; readonly claim?: JsonObject; readonly findings: readonly Finding[] }

/** Reads a Knative Service, and the Broker, Triggers and KafkaSource that bring events to it. */
export function importKnative(manifests: readonly JsonObject[]): Imported {
  const services = manifests.filter(manifest => groupKind(manifest) === 'serving.knative.dev/Service')
  const [service, second] = services
  const name = nonEmptyText(at(service, 'metadata', 'name'))
  if (service === undefined || name === undefined) return notImported('needs a Service of serving.knative.dev with a name')
  if (second !== undefined)
    return notImported(
      `holds ${services.length} Services of serving.knative.dev; each becomes a claim of its own, so import them one by one`,
    )
  const namespace = nonEmptyText(at(service, 'metadata', 'namespace')) ?? 'default'

  const eventing = eventingOf(manifests, name, namespace)
  const claim = {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace },
    spec: { ...servingOf(service, name), ...(eventing && { eventing }) },
  }
  const parsed = parseClaim(claim, platform)
  if (!parsed.ok) return { ok: false, claim, findings: parsed.findings }
  const unsaid = manifests.flatMap((manifest, index) => compare(manifest, parsed.claim).map(each => ({ ...each, index })))
  return { ok: true, claim, unsaid }
}

/** What the manifests came from may have had every feature of Knative's switched on. */
const platform: Platform = { ...builtInPlatform, features: { knativeInitContainers: true, knativeInitialScaleZero: true } }

const nonEmptyText = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

const notImported = (problem: string): Imported => ({ ok: false, findings: [{ code: 'REQUIRED', path: [], problem }] })

const groupKind = ({ apiVersion, kind }: JsonObject) => `${textOf(apiVersion).split('/')[0]}/${textOf(kind)}`

/** What of a manifest is not in what the claim becomes. */
function compare(manifest: JsonObject, claim: ResolvedClaim): Unsaid[] {
  const object = `${textOf(manifest.kind)} ${textOf(at(manifest, 'metadata', 'name'))}`
  const made = compose(claim, platform, {}).resources.map(resource => resource.manifest)
  const same = made.filter(other => groupKind(other) === groupKind(manifest))
  const match = same.find(other => other.metadata.name === at(manifest, 'metadata', 'name'))
  if (match !== undefined) return [...differences(object, manifest, match), ...referencesIn(object, manifest, match)]
  if (!isObject(manifest.spec)) return [{ object, path: [], problem: 'is left out' }]
  const renamed = same.find(({ spec }) => ['subscriber', 'sink'].some(field => at(spec, field) !== undefined) && isAlike(manifest, spec))
  if (renamed === undefined) return [{ object, path: [], problem: 'is left out' }]
  return [{ object, path: ['metadata', 'name'], problem: `becomes ${renamed.metadata.name}` }, ...differences(object, manifest, renamed)]
}

function referencesIn(object: string, manifest: JsonObject, made: JsonObject): Unsaid[] {
  const env = ['spec', 'template', 'spec', 'containers', 0, 'env']
  return brokenReferences(items(at(manifest, ...env)), items(at(made, ...env))).map(({ index, problem }) => ({
    object,
    path: [...env, index],
    problem,
  }))
}

/** Two objects under different names that do the same. */
const isAlike = (manifest: JsonObject, spec: Json | undefined) =>
  JSON.stringify([at(manifest, 'spec', 'filter'), at(manifest, 'spec', 'topics')]) ===
  JSON.stringify([at(spec, 'filter'), at(spec, 'topics')])
