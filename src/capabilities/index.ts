// Everything that a claim can become, in the order in which people read it.
import type { ResolvedClaim, Runtime } from '../claim/resolved-claim.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import { shell } from '../text/shell-quote.ts'
import { availability } from './availability/index.ts'
import { build } from './build/index.ts'
import type { Capability, ComposedResource, Context, KindInfo, OwnedResource, Role, RuntimeParts } from './capability.ts'
import { canaryResources, deploymentCanary } from './deployment/canary.ts'
import { deploymentCapability, deploymentRuntime } from './deployment/index.ts'
import { keda } from './keda/index.ts'
import { scaledObject } from './keda/scaled-object.ts'
import { knativeEventing } from './knative-eventing/index.ts'
import { knativeRuntime, knativeServing } from './knative-serving/index.ts'
import { mesh, meshOfDeployment } from './mesh/index.ts'
import { observability } from './observability/index.ts'
import { workload } from './workload/index.ts'
import { podKind, podsRole } from './workload/roles.ts'

export const capabilities: readonly Capability[] = [
  workload,
  deploymentCapability,
  knativeServing,
  keda,
  knativeEventing,
  mesh,
  deploymentCanary,
  availability,
  build,
  observability,
]

/** A conflict of the workload blocks the whole claim, because the rest is useless without it. */
export const WORKLOAD = workload.condition

// Runs for every resource of every call. A literal that begins with a spread takes V8 a microsecond more.
const own =
  ({ condition, role, kinds }: Capability) =>
  (resource: ComposedResource): OwnedResource => ({ condition, role: role.name, kinds, ...resource })

export const runtimes: Readonly<Record<Runtime, RuntimeParts<OwnedResource>>> = {
  Deployment: ownParts(deploymentCapability, deploymentRuntime, [
    own(keda)(scaledObject),
    ...meshOfDeployment.map(own(mesh)),
    ...canaryResources.map(own(deploymentCanary)),
  ]),
  Knative: ownParts(knativeServing, knativeRuntime),
}

function ownParts(capability: Capability, parts: RuntimeParts, more: readonly OwnedResource[] = []): RuntimeParts<OwnedResource> {
  const { backend, entryPoint, standIn, others, ...rest } = parts
  const owned = own(capability)
  return {
    ...rest,
    ...(backend && { backend: owned(backend) }),
    entryPoint: owned(entryPoint),
    standIn: owned(standIn),
    others: [...others.map(owned), ...more],
  }
}

export const resourcesOf = (claim: ResolvedClaim, context: Context, all: readonly Capability[] = capabilities): readonly OwnedResource[] =>
  all.flatMap(capability => {
    if (claim.image === '' && !capability.precedesImage) return []
    const resolved = capability.resolve(claim)
    if (resolved === undefined) return []
    return capability.resources(resolved, claim, context).map(own(capability))
  })

/** The conditions of a claim in the order in which people read them. */
export const conditionNames = (all: readonly Capability[] = capabilities): readonly string[] => [
  ...new Set(all.map(({ condition }) => condition)),
]

export interface RoleRules extends Role {
  readonly kinds: readonly KindInfo[]
}

export const rolesOf = (all: readonly Capability[] = capabilities): readonly RoleRules[] =>
  [...new Map(all.map(({ role }) => [role.name, role])).values()].map(role => ({
    ...role,
    // Capabilities may share kinds too.
    kinds: [...new Set(all.filter(capability => capability.role.name === role.name).flatMap(({ kinds }) => kinds))],
  }))

/** Nothing of these kinds is composed. */
export const readingRoles: readonly RoleRules[] = [{ ...podsRole, kinds: [podKind] }]

/** The command that lets Crossplane manage what a role is for. */
export const grantCommand = (role: string): string => shell`kubectl apply -f package/runtime/rbac/${role}.yaml`

export const findKind = ({ apiVersion, kind }: Pick<Manifest, 'apiVersion' | 'kind'>, kinds: readonly KindInfo[]): KindInfo | undefined =>
  kinds.find(one => one.apiVersion === apiVersion && one.kind === kind)
