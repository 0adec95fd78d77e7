// What a claim becomes: observe, build, hold back what can't be created yet, report.
import type { Capability } from '../capabilities/capability.ts'
import { capabilities } from '../capabilities/index.ts'
import type { Readiness } from '../capabilities/readiness.ts'
import type { EventDrivenServiceStatus } from '../claim/generated/types.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { Platform } from '../platform/platform.ts'
import { type Built, buildFrozen, buildResources } from './build.ts'
import { withImage } from './built-image.ts'
import { type ClusterLookup, noLookup } from './cluster-lookup.ts'
import { type ClaimCondition, conditionsOf, ownStatus } from './conditions.ts'
import { type ForbiddenKind, gateCreation } from './creation-gate.ts'
import { type Carrier, native, type Observe, type Observed, observer } from './observe.ts'
import { askPods, explainByPods, explainSwitching, type PodQuery } from './pod-reasons.ts'
import { providerKubernetes } from './provider-kubernetes.ts'
import { planSwitch, type SwitchPlan } from './runtime-switch.ts'

export interface Composed {
  readonly key: string
  readonly condition: string
  /** The Kubernetes object that the claim asks for. */
  readonly manifest: Manifest
  /** What Crossplane applies: the manifest, or the Object that carries it. */
  readonly desired: JsonObject
  readonly readiness: Readiness
}

export interface Composition {
  readonly resources: readonly Composed[]
  /** Resources whose names may be, or are, taken. Crossplane is asked for objects of these names. */
  readonly nameQueries: readonly Pick<Composed, 'key' | 'manifest'>[]
  /** Kinds that the cluster may not know, each once. Crossplane is asked whether it does. */
  readonly kindQueries: readonly Manifest[]
  /** Pods that Crossplane is asked for. */
  readonly podQueries: readonly PodQuery[]
  readonly forbiddenKinds: readonly ForbiddenKind[]
  /** False if a step remains: something is held back or changes its runtime. */
  readonly complete: boolean
  /** Whether it waits for a deletion, which Crossplane does not report. */
  readonly waits: boolean
  /** Whether it waits for a pod to start or to fail, which Crossplane does not report. */
  readonly awaitsPods: boolean
  readonly conditions: readonly ClaimCondition[]
  readonly status: EventDrivenServiceStatus
}

/** What a claim becomes, given the objects that exist. */
export function compose(
  asked: ResolvedClaim,
  platform: Platform,
  observed: Observed,
  lookup: ClusterLookup = noLookup,
  all: readonly Capability[] = capabilities,
): Composition {
  const carrier = platform.composeAs === 'ProviderKubernetes' ? providerKubernetes(platform) : native
  const observe = observer(observed, carrier)
  const cluster = carrier.canAsk ? lookup : { ...noLookup, composite: lookup.composite }
  const { claim, states, status } = withImage(asked, observed, observe, cluster.composite)
  const plan = planSwitch(claim, observe, cluster, all)

  const plain = [...buildResources(claim, plan, observe, cluster, carrier), ...buildFrozen(plan, observe)]
  const pods = askPods(plain, claim, cluster)
  const built = explainByPods(plain, pods)

  const gate = gateCreation(built, claim, cluster, explainSwitching(plan.switching, pods))

  return {
    resources: built.filter(gate.isOpen).map(toComposed(carrier)),
    nameQueries: gate.nameQueries,
    kindQueries: gate.kindQueries,
    podQueries: pods.queries,
    forbiddenKinds: [...gate.forbiddenKinds, ...pods.forbiddenKinds],
    complete: gate.blocks.length === 0,
    waits: gate.waits,
    awaitsPods: pods.queries.length > 0 && pods.isOpen,
    conditions: conditionsOf([...gate.blocks, ...states, ...built.map(stateOf)], all),
    status: { ...statusOf(plan, claim, observe, cluster.composite), ...status, ...pods.status },
  }
}

const stateOf = ({ resource: { condition }, readiness }: Built) => ({ condition, readiness })

const toComposed =
  (carrier: Carrier) =>
  (built: Built): Composed => {
    const { key, condition } = built.resource
    const { manifest, readiness } = built
    return { key, condition, manifest, desired: carrier.wrap(built), readiness }
  }

function statusOf({ resources }: SwitchPlan, claim: ResolvedClaim, observe: Observe, composite: JsonObject): EventDrivenServiceStatus {
  const previous = ownStatus(composite)
  return Object.assign({}, ...resources.map(({ key, status }) => status?.(observe(key)?.object, claim, previous)))
}
