import { expect, test } from 'vitest'
import { meshOf } from '../../src/convert/mesh.ts'
import { reasonFor } from '../../src/convert/reasons.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { withMesh } from '../fixtures/mesh.ts'

const inject = { 'sidecar.istio.io/inject': 'true' }

test.each<{ says: string; metadata: JsonObject; platform?: typeof builtInPlatform; mesh: JsonObject | undefined }>([
  { says: 'a label', metadata: { labels: inject }, mesh: { mtls: 'PERMISSIVE' } },
  { says: 'a revision', metadata: { labels: { 'istio.io/rev': 'canary' } }, mesh: { mtls: 'PERMISSIVE' } },
  { says: 'the older annotation', metadata: { annotations: inject }, mesh: { mtls: 'PERMISSIVE' } },
  { says: 'a label that says no', metadata: { labels: { 'sidecar.istio.io/inject': 'false' } }, mesh: undefined },
  { says: 'no label', metadata: {}, mesh: undefined },
  { says: 'a label on a platform without a mesh', metadata: { labels: inject }, platform: builtInPlatform, mesh: undefined },
])('a workload is in the mesh by $says', ({ metadata, platform = withMesh(), mesh }) => {
  expect(meshOf({ spec: { template: { metadata } } }, platform)).toEqual(mesh)
})

test.each([
  { verdict: 'unsaid', path: 'Deployment.spec.template.metadata.labels["sidecar.istio.io/inject"]', says: 'mesh in its input' },
  { verdict: 'unsaid', path: 'Deployment.spec.template.metadata.annotations["proxy.istio.io/config"]', says: 'mesh in its input' },
  {
    verdict: 'added',
    path: 'Deployment.spec.template.metadata.annotations["traffic.sidecar.istio.io/excludeOutboundPorts"]',
    says: 'sidecar',
  },
] as const)('the reason for $verdict $path', ({ verdict, path, says }) => expect(reasonFor(verdict, path)).toContain(says))
