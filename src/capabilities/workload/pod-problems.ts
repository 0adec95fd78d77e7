// The problem of a pod in the words of the claim: its size, its probes.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import { isCurrentPod, type PodTrouble, troubleOfPod } from '../../kubernetes/pod-troubles.ts'
import { parseQuantity } from '../../kubernetes/quantity.ts'

/** A request with more pods could be larger than the function accepts, and then Crossplane would get no answer at all. */
export const MOST_PODS = 100

/** The problem that the pod itself tells. */
export function problemOf(pod: JsonObject, claim: ResolvedClaim): PodTrouble | undefined {
  const trouble = isCurrentPod(pod) ? troubleOfPod(pod) : undefined
  if (trouble === undefined) return undefined
  if (trouble.reason === 'OOMKilled') return { ...trouble, message: trouble.message + largerSize(trouble, claim) }
  if (trouble.probe === 'readiness' && trouble.container === QUEUE_PROXY) return { ...trouble, message: probeOfKnative(claim) }
  return trouble
}

/** Other containers are injected, and have resources of their own. */
const OURS: readonly (string | undefined)[] = ['main', 'init']

/** Such as `: size small has 2Gi; medium has 4Gi`. */
function largerSize({ container }: PodTrouble, { size, resources, platform: { sizes } }: ResolvedClaim): string {
  if (!OURS.includes(container)) return ''
  const limit = resources.limits.memory
  const larger = Object.entries(sizes)
    .flatMap(([name, size]) => (size ? [{ name, limit: size.limits.memory, bytes: parseQuantity(size.limits.memory) ?? 0 }] : []))
    .filter(({ bytes }) => bytes > (parseQuantity(limit) ?? 0))
    .sort((a, b) => a.bytes - b.bytes || (a.name < b.name ? -1 : 1))[0]
  return `: size ${size} has ${limit}; ${larger === undefined ? 'no size has more' : `${larger.name} has ${larger.limit}`}`
}

/** Knative's own container probes ours. */
const QUEUE_PROXY = 'queue-proxy'

function probeOfKnative({ probes: { readiness }, port }: ResolvedClaim): string {
  const handler = readiness?.handler
  const asks =
    handler === undefined || 'tcp' in handler
      ? `a connection to port ${handler?.tcp ?? port}`
      : 'path' in handler
        ? `GET ${handler.path} on port ${port}`
        : 'its command'
  return `the readiness probe of container main does not succeed: ${asks}`
}
