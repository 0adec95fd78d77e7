import { describe, expect, test } from 'vitest'
import { imageVersion, podMetadata } from '../../../src/capabilities/workload/labels.ts'
import { at } from '../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { resolvedClaim } from '../../fixtures/resolved-claim.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

describe('the version', () => {
  test.each([
    { image: 'worker', version: 'latest', label: 'latest' },
    { image: 'worker:1.4.2', version: '1.4.2', label: '1.4.2' },
    { image: 'localhost:5000/worker', version: 'latest', label: 'latest' },
    { image: 'localhost:5000/worker:v2', version: 'v2', label: 'v2' },
    { image: `worker@${digest}`, version: digest, label: `sha256-${'0123456789abcdef'.repeat(4)}`.slice(0, 63) },
    { image: `worker:v2@${digest}`, version: 'v2', label: 'v2' },
    { image: `worker:_${'a'.repeat(60)}-.b`, version: `_${'a'.repeat(60)}-.b`, label: `${'a'.repeat(60)}-.b` },
    { image: `worker:${'a'.repeat(61)}-.b`, version: `${'a'.repeat(61)}-.b`, label: 'a'.repeat(61) },
    { image: 'worker:___', version: '___', label: '' },
  ])('of $image is $version, as a label $label', ({ image, version, label }) => {
    const claim = resolvedClaim({ image })
    expect(imageVersion(claim)).toBe(version)
    expect(at(podMetadata(claim), 'labels', 'app.kubernetes.io/version')).toBe(label)
  })
})

test('the annotations of Prometheus are there if the platform scrapes by them', () => {
  const claim = resolvedClaim({ httpPort: 3000 })
  expect(podMetadata(claim).annotations).toBeUndefined()
  const platform = { ...builtInPlatform, features: { ...builtInPlatform.features, prometheusAnnotations: true } }
  expect(podMetadata({ ...claim, platform }, { theirs: 'x' }).annotations).toEqual({
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': '3000',
    'prometheus.io/path': '/metrics',
    theirs: 'x',
  })
})
