// Turns hand-written manifests into a claim, with the differences and the steps of the migration.

import { specOf, triggerOf } from '../capabilities/deployment/import.ts'
import type { Finding } from '../claim/findings.ts'
import { KIND } from '../claim/identity.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Platform } from '../platform/platform.ts'
import { compose } from '../reconcile/compose.ts'
import { ADOPT } from '../reconcile/name-conflicts.ts'
import { API_VERSION, parseClaim } from '../reconcile/parse-claim.ts'
import { compare, type Pair, type Row } from './compare.ts'
import { mainOf } from './containers.ts'
import { brokenReferences } from './env-references.ts'
import { matchSize, type SizeMatch } from './size.ts'
import { type Step, stepsTo } from './steps.ts'

export type Migrated =
  | {
      readonly ok: true
      readonly claim: JsonObject
      /** Undefined if the manifests set no resources. */
      readonly size: SizeMatch | undefined
      readonly rows: readonly Row[]
      readonly steps: readonly Step[]
    }
  /** The platform refuses the claim; or no claim is possible, and the finding says why. */
  | { readonly ok: false; readonly claim?: JsonObject; readonly findings: readonly Finding[] }

const kinds = ['apps Deployment', ' Service', ' ServiceAccount', 'keda.sh ScaledObject'] as const
type Kind = (typeof kinds)[number]

const kindOf = ({ apiVersion, kind }: JsonObject): Kind | undefined => {
  const group = textOf(apiVersion).includes('/') ? textOf(apiVersion).split('/')[0] : ''
  return kinds.find(known => known === `${group} ${textOf(kind)}`)
}

/** Whether a claim renders this kind. */
export const isMigrated = (manifest: JsonObject): boolean => kindOf(manifest) !== undefined

/** Reads one Deployment with the Services, the ServiceAccount and the ScaledObject around it. */
export function migrate(manifests: readonly JsonObject[], platform: Platform, { adopt }: { adopt: boolean }): Migrated {
  const all = (kind: Kind) => manifests.filter(manifest => kindOf(manifest) === kind)
  const deployments = all('apps Deployment')
  const [deployment, second] = deployments
  const name = objectName(deployment)
  if (deployment === undefined || name === undefined) return notMigrated('needs a Deployment of apps/v1 with a name')
  if (second !== undefined) {
    const names = deployments.map(objectName).join(', ')
    return notMigrated(`holds ${deployments.length} Deployments (${names}); each becomes a claim of its own, so migrate them one by one`)
  }
  const scalers = all('keda.sh ScaledObject')
  const scaledObject = scalers.find(scaler => at(scaler, 'spec', 'scaleTargetRef', 'name') === name)
  if (scaledObject === undefined) return notMigrated(`needs the ScaledObject that scales Deployment ${name}${otherScalers(scalers)}`)
  if (triggerOf(scaledObject) < 0) {
    const types = items(at(scaledObject, 'spec', 'triggers')).map(trigger => textOf(at(trigger, 'type')))
    return notMigrated(
      `needs a trigger of type nats-jetstream in ScaledObject ${objectName(scaledObject)}: a claim is fed by a consumer of NATS`,
      types.join(', '),
    )
  }
  const namespace = nonEmptyText(at(deployment, 'metadata', 'namespace')) ?? 'default'
  const services = all(' Service')
  const claim = claimDocument(name, namespace, specOf({ deployment, scaledObject, services }, platform), adopt)
  const parsed = parseClaim(claim, platform)
  if (!parsed.ok) return { ok: false, claim, findings: parsed.findings }
  const made = new Map(
    compose(parsed.claim, { ...platform, composeAs: 'Native' }, {}).resources.map(({ key, manifest }) => [key, manifest]),
  )
  const account = at(deployment, 'spec', 'template', 'spec', 'serviceAccountName') ?? 'default'
  const given: Readonly<Record<string, JsonObject | undefined>> = {
    serviceaccount: all(' ServiceAccount').find(each => objectName(each) === account && account !== 'default'),
    deployment,
    service: services.find(service => objectName(service) === name),
    'http-service': services.find(service => objectName(service) === `${name}-http`),
    scaledobject: scaledObject,
  }
  const known = Object.values(given)
  const unmatched = manifests.filter(manifest => isMigrated(manifest) && !known.includes(manifest) && !isEverywhere(manifest))
  const pairs: Pair[] = [
    ...Object.entries(given).map(([key, object]) => ({
      given: object,
      made: key === 'deployment' ? withoutReplicas(made.get(key)) : made.get(key),
    })),
    ...unmatched.map(object => ({ given: object })),
  ].filter(({ given, made }: Pair) => given !== undefined || made !== undefined)
  const pods = pairs.find(pair => pair.given === deployment) ?? {}
  return {
    ok: true,
    claim,
    size: matchSize(at(deployment, 'spec', 'template', 'spec', 'containers', mainOf(deployment), 'resources'), platform.sizes),
    rows: [...pairs.flatMap(pair => compare(pair, pods)), ...referencesIn(pods)],
    steps: stepsTo(pairs, pods, claim),
  }
}

/** An adopted Deployment keeps its count. */
function withoutReplicas(deployment: JsonObject | undefined): JsonObject | undefined {
  if (deployment === undefined || !isObject(deployment.spec)) return deployment
  const { replicas: _, ...spec } = deployment.spec
  return { ...deployment, spec }
}

function referencesIn({ given, made }: Pair): Row[] {
  const main = mainOf(given ?? {})
  const env = (deployment: Json | undefined, container: number) =>
    items(at(deployment, 'spec', 'template', 'spec', 'containers', container, 'env'))
  return brokenReferences(env(given, main), env(made, 0)).map(({ name, index, value, problem }) => ({
    object: `Deployment ${objectName(given)}`,
    path: `spec.template.spec.containers[${main}].env.${name}`,
    place: ['spec', 'template', 'spec', 'containers', main, 'env', index],
    verdict: 'different',
    was: value,
    is: value,
    because: problem,
  }))
}

const claimDocument = (name: string, namespace: string, spec: JsonObject, adopt: boolean): JsonObject => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name, namespace, ...(adopt && { annotations: { [ADOPT]: 'true' } }) },
  spec,
})

/** Kubernetes creates this one in each namespace. */
const isEverywhere = ({ kind, metadata }: JsonObject) => kind === 'ServiceAccount' && at(metadata, 'name') === 'default'

const nonEmptyText = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

const objectName = (manifest: JsonObject | undefined) => nonEmptyText(at(manifest, 'metadata', 'name'))

const notMigrated = (problem: string, found?: string): Migrated => ({
  ok: false,
  findings: [{ code: 'REQUIRED', path: [], problem, ...(found !== undefined && { found }) }],
})

const otherScalers = (scalers: readonly JsonObject[]) =>
  scalers.length === 0
    ? ''
    : `; there is ${scalers.map(scaler => `${objectName(scaler)} for ${textOf(at(scaler, 'spec', 'scaleTargetRef', 'name'))}`).join(', ')}`
