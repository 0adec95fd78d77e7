import { describe, expect, test } from 'vitest'
import { deployment } from '../../../src/capabilities/deployment/deployment.ts'
import { knativeService } from '../../../src/capabilities/knative-serving/knative-service.ts'
import { at, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import type { Platform } from '../../../src/platform/platform.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { resolvedClaim } from '../../fixtures/resolved-claim.ts'

const runtimes = { Deployment: deployment, Knative: knativeService }

function pod(spec: JsonObject, runtime: keyof typeof runtimes = 'Deployment', platform: Platform = builtInPlatform): Json | undefined {
  const claim = { ...resolvedClaim({ runtime, ...spec }), platform }
  return at(runtimes[runtime].build(claim, 'new'), 'spec', 'template', 'spec')
}
const of = (container: Json | undefined) => [at(container, 'volumeMounts'), at(container, 'securityContext', 'readOnlyRootFilesystem')]

describe.each(['Deployment', 'Knative'] as const)('files with runtime %s', runtime => {
  test.each<{ says: string; file: JsonObject; volume: JsonObject; writable?: boolean }>([
    { says: 'all keys of a secret', file: { secret: 's' }, volume: { secret: { secretName: 's' } } },
    {
      says: 'one key of a secret',
      file: { secret: 's', key: 'tls.crt' },
      volume: { secret: { secretName: 's', items: [{ key: 'tls.crt', path: 'tls.crt' }] } },
    },
    { says: 'all keys of a ConfigMap', file: { configMap: 'c' }, volume: { configMap: { name: 'c' } } },
    {
      says: 'one key of a ConfigMap',
      file: { configMap: 'c', key: 'rules.yaml' },
      volume: { configMap: { name: 'c', items: [{ key: 'rules.yaml', path: 'rules.yaml' }] } },
    },
    { says: 'scratch space', file: { scratch: '2Gi' }, volume: { emptyDir: { sizeLimit: '2Gi' } }, writable: true },
    {
      says: 'scratch space in memory',
      file: { scratch: '64Mi', memory: true },
      volume: { emptyDir: { sizeLimit: '64Mi', medium: 'Memory' } },
      writable: true,
    },
  ])('$says', ({ file, volume, writable }) => {
    const mounted = pod({ files: [{ mountPath: '/work', ...file }] }, runtime)
    expect(at(mounted, 'volumes')).toEqual([{ name: 'files-0', ...volume }])
    expect(at(mounted, 'containers', 0, 'volumeMounts')).toEqual([
      { name: 'files-0', mountPath: '/work', ...(!writable && { readOnly: true }) },
    ])
  })

  test('none by default', () => {
    const plain = pod({}, runtime)
    expect([at(plain, 'volumes'), ...of(at(plain, 'containers', 0))]).toEqual([undefined, undefined, undefined])
  })

  test('a read-only root file system has a writable /tmp', () => {
    const readOnly = pod({ rootFilesystem: 'ReadOnly' }, runtime)
    expect(at(readOnly, 'volumes')).toEqual([{ name: 'tmp', emptyDir: {} }])
    expect(of(at(readOnly, 'containers', 0))).toEqual([[{ name: 'tmp', mountPath: '/tmp' }], true])
  })

  test("the claim's own /tmp replaces it", () => {
    const own = pod({ rootFilesystem: 'ReadOnly', files: [{ mountPath: '/tmp', scratch: '1Gi' }] }, runtime)
    expect(of(at(own, 'containers', 0))).toEqual([[{ name: 'files-0', mountPath: '/tmp' }], true])
  })

  test('NATS credentials and certificates share a directory, and the client certificate may be missing', () => {
    const nats = { stream: 'S', consumer: 'C', credentials: { secret: 'creds', key: 'orders.creds' }, tls: { secret: 'tls' } }
    const mounted = pod({ nats }, runtime)
    expect(at(mounted, 'volumes')).toEqual([
      {
        name: 'nats',
        projected: {
          sources: [
            { secret: { name: 'creds', items: [{ key: 'orders.creds', path: 'user.creds' }] } },
            { secret: { name: 'tls', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              secret: {
                name: 'tls',
                items: [
                  { key: 'tls.crt', path: 'tls.crt' },
                  { key: 'tls.key', path: 'tls.key' },
                ],
                optional: true,
              },
            },
          ],
        },
      },
    ])
    expect(at(mounted, 'containers', 0, 'volumeMounts')).toEqual([{ name: 'nats', mountPath: '/var/run/secrets/nats', readOnly: true }])
  })
})

test('the init container has the same files', () => {
  const both = pod({ files: [{ mountPath: '/etc/a', secret: 's' }], rootFilesystem: 'ReadOnly', initContainer: { command: ['a'] } })
  expect(of(at(both, 'initContainers', 0))).toEqual(of(at(both, 'containers', 0)))
})

test('no /tmp with Knative where the cluster does not allow it', () => {
  const platform = { ...builtInPlatform, features: { ...builtInPlatform.features, knativeEmptyDir: false } }
  // The platform's default: a claim that asks for it is rejected.
  const claim = { ...resolvedClaim({ runtime: 'Knative' }), rootFilesystem: 'ReadOnly', platform } as const
  expect(at(knativeService.build(claim, 'new'), 'spec', 'template', 'spec', 'volumes')).toBeUndefined()
})
