import { expect, test } from 'vitest'
import { sentence } from '../../../src/claim/findings.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../../src/platform/platform.ts'
import { validateClaim } from '../../../src/reconcile/parse-claim.ts'
import { claim, knativeClaim } from '../../fixtures/claims.ts'
import { withMesh } from '../../fixtures/mesh.ts'
import { withObservability } from '../../fixtures/observability.ts'

const slo: JsonObject = { slo: { objective: 99 } }
const unread: JsonObject = { ...slo, metrics: { enabled: false } }
const http = (observability: JsonObject, more: JsonObject = {}) => claim({ nats: undefined, httpPort: 8080, observability, ...more })
const inMesh = withObservability({}, withMesh())
const path = 'spec.observability.slo: '
const withoutMetrics = `${path}must not be set with observability.metrics.enabled false: the metrics count what fails [CONFLICT]`

test.each<{ says: string; document: JsonObject; platform?: Platform; findings?: string[] }>([
  { says: 'a worker', document: claim({ observability: slo }) },
  { says: 'a worker without metrics', document: claim({ observability: unread }), findings: [withoutMetrics] },
  {
    says: 'a service whose requests nobody counts',
    document: http(slo),
    findings: [`${path}requires nats, mesh or runtime Knative: nobody else counts what fails [CONFLICT]`],
  },
  { says: 'a service in the mesh', document: http(slo, { mesh: {} }), platform: inMesh },
  { says: 'a service in the mesh without metrics', document: http(unread, { mesh: {} }), platform: inMesh, findings: [withoutMetrics] },
  { says: 'a Knative Service', document: knativeClaim({ observability: slo }) },
  { says: 'a Knative Service without metrics of its own', document: knativeClaim({ observability: unread }) },
  {
    says: 'a Knative Service whose proxy exports nothing',
    document: knativeClaim({ observability: slo }),
    platform: withObservability({ knativeMetrics: false }),
    findings: [
      `${path}is not supported here with runtime Knative: ask the platform team to have Knative export metrics (observability.knativeMetrics in the function's input) [UNSUPPORTED]`,
    ],
  },
  { says: 'a Knative Service in the mesh', document: knativeClaim({ observability: slo, mesh: {} }), platform: inMesh },
  {
    says: 'a Knative Service in the mesh without metrics',
    document: knativeClaim({ observability: unread, mesh: {} }),
    platform: inMesh,
    findings: [withoutMetrics],
  },
  {
    says: 'any claim where the platform has no Prometheus',
    document: claim({ observability: {} }),
    platform: builtInPlatform,
    findings: [
      "spec.observability: is not supported here: ask the platform team to install the Prometheus Operator and to set observability in the function's input [UNSUPPORTED]",
    ],
  },
])('$says', ({ document, platform = withObservability(), findings = [] }) => {
  const found = validateClaim(document, platform).findings
  expect(found.map(finding => `${sentence(finding)} [${finding.code}]`)).toEqual(findings)
})
