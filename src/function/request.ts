import { Capability, type RunFunctionRequest } from '@crossplane-org/function-sdk-typescript'
import { at, isObject, type Json, type JsonObject } from '../kubernetes/json.ts'
import type { ClusterLookup } from '../reconcile/cluster-lookup.ts'
import { ADOPT } from '../reconcile/name-conflicts.ts'
import type { Observed } from '../reconcile/observe.ts'
import { PODS_PREFIX } from '../reconcile/pod-reasons.ts'

/** The parts of a request that the core reads. */
export interface FunctionInput {
  readonly composite: JsonObject
  readonly observed: Observed
  readonly input: Json | undefined
  readonly lookup: ClusterLookup
}

/** Undefined if the request has no observed composite. */
export function readRequest(request: RunFunctionRequest): FunctionInput | undefined {
  const { observed, input } = request
  const composite: unknown = observed?.composite?.resource
  if (!isObject(composite)) return undefined
  const resources = Object.entries(observed?.resources ?? {}).flatMap(([key, { resource }]): [string, JsonObject][] =>
    isObject(resource) ? [[key, resource]] : [],
  )
  return { composite, observed: Object.fromEntries(resources), input, lookup: lookupOf(request, composite) }
}

function lookupOf({ meta, requiredResources, requiredSchemas }: RunFunctionRequest, composite: JsonObject): ClusterLookup {
  const found: [string, JsonObject | undefined][] = []
  const pods: [string, JsonObject[]][] = []
  for (const [key, { items }] of Object.entries(requiredResources ?? {})) {
    const objects = items.flatMap(({ resource }) => (isObject(resource) ? [resource] : []))
    if (key.startsWith(PODS_PREFIX)) pods.push([key, objects])
    else found.push([key, objects[0]])
  }
  const kinds = Object.entries(requiredSchemas ?? {}).map(([name, { openapiV3 }]): [string, boolean] => [name, openapiV3 !== undefined])
  // The composite's own kind is requested too: a client that does not find even that, such as `crossplane render`, can't tell.
  const canTell = kinds.some(([, exists]) => exists)
  const capabilities = meta?.capabilities ?? []
  return {
    // Crossplane 2.0 and 2.1 support required resources too but do not report capabilities.
    canAsk: capabilities.length === 0 || capabilities.includes(Capability.CAPABILITY_REQUIRED_RESOURCES),
    canAskKinds: capabilities.includes(Capability.CAPABILITY_REQUIRED_SCHEMAS),
    existing: Object.fromEntries(found),
    pods: Object.fromEntries(pods),
    kinds: Object.fromEntries(kinds.map(([name, exists]) => [name, exists || !canTell])),
    composite,
    adopt: at(composite, 'metadata', 'annotations', ADOPT) === 'true',
  }
}
