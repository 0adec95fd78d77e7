// Turns hand-written manifests into a claim, with the differences and the steps of the migration.

import { specOf, triggerOf } from '../capabilities/deployment/import.ts'
import { at, isObject, items, type JsonObject, textOf } from '../kubernetes/json.ts'
import { controllerOf, groupKindOf } from '../kubernetes/objects.ts'
import type { Platform } from '../platform/platform.ts'
import { ADOPT } from '../reconcile/name-conflicts.ts'
import { compare, type Pair, type Row } from './compare.ts'
import { mainOf } from './containers.ts'
import { natsVariables } from './env.ts'
import { accountOf } from './identity.ts'
import { nameOf, namespaceOf, type Refused, refused, render } from './render.ts'
import { selectsPods } from './selects-pods.ts'
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
  | Refused

const kinds = [
  'apps/Deployment',
  '/Service',
  '/ServiceAccount',
  'keda.sh/ScaledObject',
  'policy/PodDisruptionBudget',
  'autoscaling/HorizontalPodAutoscaler',
] as const
type Kind = (typeof kinds)[number]

/** Whether a claim renders this kind. */
export const isMigrated = (manifest: JsonObject): boolean => kinds.some(kind => kind === groupKindOf(manifest))

/** Reads one Deployment with the Services, the ServiceAccount, the ScaledObject and the PodDisruptionBudget around it. */
export function migrate(manifests: readonly JsonObject[], platform: Platform, { adopt }: { adopt: boolean }): Migrated {
  const all = (kind: Kind) => manifests.filter(manifest => groupKindOf(manifest) === kind)
  const deployments = all('apps/Deployment')
  const [deployment, second] = deployments
  const name = nameOf(deployment)
  if (deployment === undefined || name === undefined) return refused('needs a Deployment of apps/v1 with a name')
  if (second !== undefined) {
    const names = deployments.map(nameOf).join(', ')
    return refused(`holds ${deployments.length} Deployments (${names}); each becomes a claim of its own, so migrate them one by one`)
  }
  const scalers = all('keda.sh/ScaledObject')
  const scaledObject = scalers.find(scaler => at(scaler, 'spec', 'scaleTargetRef', 'name') === name)
  const services = all('/Service').filter(service => isOwn(service, name) || selectsPods(at(service, 'spec', 'selector'), deployment))
  if (scaledObject === undefined && (readsFromNats(deployment) || !(services.length > 0 || hasHttpPort(deployment))))
    return refused(`needs the ScaledObject that scales Deployment ${name}${otherScalers(scalers)}`)
  if (scaledObject !== undefined && triggerOf(scaledObject) < 0) {
    const types = items(at(scaledObject, 'spec', 'triggers')).map(trigger => textOf(at(trigger, 'type')))
    return refused(
      `needs a trigger of type nats-jetstream in ScaledObject ${nameOf(scaledObject)}: a claim is fed by a consumer of NATS`,
      types.join(', '),
    )
  }
  const serviceAccount = accountOf(deployment, manifests)
  const metadata = { name, namespace: namespaceOf(deployment), ...(adopt && { annotations: { [ADOPT]: 'true' } }) }
  const rendered = render(metadata, specOf({ deployment, scaledObject, serviceAccount, services }, platform), platform)
  if (!rendered.ok) return rendered
  const { claim } = rendered
  const made = new Map(rendered.resources.map(({ key, manifest }) => [key, manifest]))
  const budgets = all('policy/PodDisruptionBudget')
  const autoscalers = all('autoscaling/HorizontalPodAutoscaler').filter(
    hpa => !isOfKeda(hpa) && at(hpa, 'spec', 'scaleTargetRef', 'name') === name,
  )
  const given: Readonly<Record<string, JsonObject | undefined>> = {
    serviceaccount: serviceAccount,
    deployment,
    service: services.find(service => nameOf(service) === name),
    'http-service': services.find(service => nameOf(service) === `${name}-http`),
    scaledobject: scaledObject,
    poddisruptionbudget:
      budgets.find(budget => nameOf(budget) === name) ?? budgets.find(budget => selectsPods(at(budget, 'spec', 'selector'), deployment)),
  }
  const known = Object.values(given)
  const unmatched = manifests.filter(
    manifest => isMigrated(manifest) && !known.includes(manifest) && !isEverywhere(manifest) && !isOfKeda(manifest),
  )
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
    rows: pairs.flatMap(pair => compare(pair, pods)),
    steps: stepsTo(pairs, pods, claim, autoscalers),
  }
}

const isOwn = (service: JsonObject, name: string) => [name, `${name}-http`].includes(nameOf(service) ?? '')

/** The container of a worker that reads from a stream. */
const readsFromNats = (deployment: JsonObject) =>
  items(at(mainContainer(deployment), 'env')).some(variable =>
    [natsVariables.stream, natsVariables.consumer].some(name => name === at(variable, 'name')),
  )

const hasHttpPort = (deployment: JsonObject) => items(at(mainContainer(deployment), 'ports')).some(port => at(port, 'name') === 'http')

const mainContainer = (deployment: JsonObject) => at(deployment, 'spec', 'template', 'spec', 'containers', mainOf(deployment))

/** KEDA creates its HPA from the ScaledObject. */
const isOfKeda = (manifest: JsonObject) => controllerOf(manifest)?.kind === 'ScaledObject'

/** An adopted Deployment keeps its count. */
function withoutReplicas(deployment: JsonObject | undefined): JsonObject | undefined {
  if (deployment === undefined || !isObject(deployment.spec)) return deployment
  const { replicas: _, ...spec } = deployment.spec
  return { ...deployment, spec }
}

/** Kubernetes creates this one in each namespace. */
const isEverywhere = ({ kind, metadata }: JsonObject) => kind === 'ServiceAccount' && at(metadata, 'name') === 'default'

const otherScalers = (scalers: readonly JsonObject[]) =>
  scalers.length === 0
    ? ''
    : `; there is ${scalers.map(scaler => `${nameOf(scaler)} for ${textOf(at(scaler, 'spec', 'scaleTargetRef', 'name'))}`).join(', ')}`
