// Builds the overlays of claims with kubectl kustomize.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { parse } from 'yaml'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { testWith } from '../../fixtures/require-program.ts'

const folder = fileURLToPath(new URL('../../../examples/environments', import.meta.url))

const annotations = (least: number, most: number, target: number, delay: string) => ({
  'autoscaling.knative.dev/class': 'kpa.autoscaling.knative.dev',
  'autoscaling.knative.dev/metric': 'concurrency',
  'autoscaling.knative.dev/target': String(target),
  'autoscaling.knative.dev/min-scale': String(least),
  'autoscaling.knative.dev/max-scale': String(most),
  'autoscaling.knative.dev/scale-down-delay': delay,
})

testWith('kubectl').each([
  { environment: 'development', namespace: 'shop-development', cpu: '250m', timeout: 60, scaling: annotations(0, 3, 50, '15s') },
  { environment: 'staging', namespace: 'shop-staging', cpu: '250m', timeout: 120, scaling: annotations(1, 5, 80, '30s') },
  { environment: 'production', namespace: 'shop', cpu: '500m', timeout: 300, scaling: annotations(2, 60, 100, '60s') },
])('$environment', ({ environment, namespace, cpu, timeout, scaling }) => {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', `${folder}/${environment}`], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  const parsed = parseClaim(parse(stdout) as JsonObject, builtInPlatform)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  const { manifest } = compose(parsed.claim, builtInPlatform, {}).resources.find(({ key }) => key === 'knative-service') ?? {}
  expect(at(manifest, 'metadata', 'namespace')).toBe(namespace)
  const template = at(manifest, 'spec', 'template')
  expect(at(template, 'metadata', 'annotations')).toEqual(scaling)
  expect(at(template, 'spec', 'timeoutSeconds')).toBe(timeout)
  expect(at(template, 'spec', 'containers', 0, 'resources', 'requests', 'cpu')).toBe(cpu)
})
