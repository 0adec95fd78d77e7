// The last step of both commands: the claim, and the objects that it renders.
import type { Finding } from '../claim/findings.ts'
import { KIND } from '../claim/identity.ts'
import { at, type JsonObject, nonEmptyText } from '../kubernetes/json.ts'
import type { Platform } from '../platform/platform.ts'
import { type Composed, compose } from '../reconcile/compose.ts'
import { API_VERSION, parseClaim } from '../reconcile/parse-claim.ts'

/** The platform refuses the claim; or no claim is possible, and the finding says why. */
export interface Refused {
  readonly ok: false
  readonly claim?: JsonObject
  readonly findings: readonly Finding[]
}

export const refused = (problem: string, found?: string): Refused => ({
  ok: false,
  findings: [{ code: 'REQUIRED', path: [], problem, ...(found !== undefined && { found }) }],
})

export const nameOf = (manifest: JsonObject | undefined): string | undefined => nonEmptyText(at(manifest, 'metadata', 'name'))

export const namespaceOf = (manifest: JsonObject): string => nonEmptyText(at(manifest, 'metadata', 'namespace')) ?? 'default'

/** Renders a claim with this metadata and spec. Manifests from elsewhere need not keep the platform's policy yet, but it lowers defaults. */
export function render(
  metadata: JsonObject,
  spec: JsonObject,
  platform: Platform,
): { readonly ok: true; readonly claim: JsonObject; readonly resources: readonly Composed[] } | Refused {
  const claim = { apiVersion: API_VERSION, kind: KIND, metadata, spec }
  const { maxGracePeriod, maxReplicas } = platform.policy
  const parse = (policy: Platform['policy']) => parseClaim(claim, { ...platform, policy })
  const lowered = maxReplicas === undefined ? undefined : parse({ maxGracePeriod, maxReplicas })
  const parsed = lowered?.ok ? lowered : parse({ maxGracePeriod })
  if (!parsed.ok) return { ok: false, claim, findings: parsed.findings }
  return { ok: true, claim, resources: compose(parsed.claim, { ...platform, composeAs: 'Native' }, {}).resources }
}
