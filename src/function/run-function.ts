import type { RunFunctionRequest, RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { type IdentifiedClaim, identifyClaim } from '../claim/identity.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, type Json, textOf } from '../kubernetes/json.ts'
import { type Platform, parsePlatform } from '../platform/platform.ts'
import { propagatedLabels } from '../platform/policy.ts'
import { type Composition, compose } from '../reconcile/compose.ts'
import { type ClaimCondition, findingsMessage, refusedCondition } from '../reconcile/conditions.ts'
import { kindKey } from '../reconcile/missing-crds.ts'
import { parseIdentified } from '../reconcile/parse-claim.ts'
import { POD } from '../reconcile/pod-reasons.ts'
import { createCache } from './cache.ts'
import type { Evidence, ForbiddenKinds } from './forbidden-kinds.ts'
import { type FunctionInput, readRequest } from './request.ts'
import { composedResponse, refuseAll, refusedResponse } from './response.ts'

// Crossplane calls for each claim often, mostly because the status of an object changed. Half of this holds ten thousand claims
// of usual size, so no claim is evicted between two reconciles.
const MAX_CHARACTERS = 16 * 1024 * 1024

type Resolved = { readonly claim: ResolvedClaim; readonly platform: Platform } | ClaimCondition

const claimCache = createCache<Resolved>(MAX_CHARACTERS)
const platformCache = createCache<ReturnType<typeof parsePlatform> & { readonly number: number }>(MAX_CHARACTERS)
let platformCount = 0

/** The claim and the platform, or the condition that explains which of them is invalid. */
function resolve(claim: IdentifiedClaim, input: Json | undefined): Resolved {
  const parsed = platformCache(input, () => ({ ...parsePlatform(input), number: platformCount++ }))
  if (!parsed.ok)
    return refusedCondition('InvalidInput', `the input of the function in the Composition is invalid: ${findingsMessage(parsed.findings)}`)
  const { platform, number } = parsed
  const labels = propagatedLabels(claim.labels, platform.policy)
  return claimCache({ document: claim.document, number, labels }, () => {
    const parsed = parseIdentified(claim, platform)
    return parsed.ok ? { claim: parsed.claim, platform } : refusedCondition('InvalidClaim', findingsMessage(parsed.findings))
  })
}

/** RunFunction of a process that shares between claims what it learns about Crossplane's permissions. */
export const sharingRunFunction =
  (forbiddenKinds: ForbiddenKinds) =>
  (request: RunFunctionRequest, withOwners?: () => RunFunctionRequest): RunFunctionResponse =>
    runFunction(request, withOwners, forbiddenKinds)

/** One RunFunction call, without I/O. Only a refusal needs the request with the owners of the observed fields. */
export function runFunction(
  request: RunFunctionRequest,
  withOwners: () => RunFunctionRequest = () => request,
  forbiddenKinds?: ForbiddenKinds,
): RunFunctionResponse {
  const read = readRequest(request)
  if (read === undefined) return refuseAll(request, {}, refusedCondition('InvalidClaim', 'the request has no observed composite resource'))
  const { composite, input } = read
  const resolved = resolve(identifyClaim(composite), input)
  if (!('claim' in resolved)) return refusedResponse(withOwners(), composite, resolved)
  return composedResponse(request, composite, composeKnowing(forbiddenKinds, read, resolved))
}

function composeKnowing(
  forbiddenKinds: ForbiddenKinds | undefined,
  input: FunctionInput,
  { claim, platform }: { readonly claim: ResolvedClaim; readonly platform: Platform },
): Composition {
  const { composite, observed, lookup } = input
  // Crossplane sets a finalizer before it composes. `crossplane render` sets none, calls once and has no cluster.
  const isLive = at(composite, 'metadata', 'finalizers') !== undefined
  if (forbiddenKinds === undefined || !isLive) return compose(claim, platform, observed, lookup)
  const { access, learn } = forbiddenKinds
  const composition = compose(claim, platform, observed, { ...lookup, access })
  const again = learn(evidenceOf(input, composition))
  return again === undefined ? composition : compose(claim, platform, observed, { ...lookup, access: new Map(access).set(again, true) })
}

const evidenceOf = (
  { composite, observed, lookup }: FunctionInput,
  { forbiddenKinds, nameQueries, kindQueries, podQueries }: Composition,
): Evidence => ({
  claim: textOf(at(composite, 'metadata', 'uid')),
  forbidden: forbiddenKinds,
  usable: Object.keys(lookup.pods).length > 0 ? [POD] : [],
  read: nameQueries.filter(({ key }) => Object.hasOwn(lookup.existing, key)).map(({ manifest }) => kindKey(manifest)),
  asks: [...nameQueries.map(({ manifest }) => kindKey(manifest)), ...kindQueries.map(kindKey), ...podQueries.map(() => POD)],
  observed: () => Object.values(observed).map(({ apiVersion, kind }) => kindKey({ apiVersion: textOf(apiVersion), kind: textOf(kind) })),
})
