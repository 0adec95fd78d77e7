// What the node and the API server enforce: pull secrets, digests, the restricted Pod Security Standard, and a read-only root.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { type ClaimManifest, deleteClaim, deploymentOf, ready, worker } from '../cluster/claim.ts'
import { addressOf, podsOf } from './service.ts'
import type { Setting } from './setting.ts'
import { digestOf, IMAGE, PRIVATE_IMAGE, pullSecret } from './workers.ts'

const NAMESPACE = 'strict'
const ENFORCE = 'pod-security.kubernetes.io/enforce'
const http = { nats: undefined, httpPort: 8080, scaling: { minReplicas: 1 } }
const claimOf = (name: string, spec: JsonObject): ClaimManifest =>
  JSON.parse(JSON.stringify(worker(NAMESPACE, name, '', { ...http, ...spec }))) as ClaimManifest

const privately = claimOf('privately', { image: PRIVATE_IMAGE, imagePullSecrets: [{ name: 'puller' }] })
const readOnly = claimOf('read-only', { image: IMAGE, rootFilesystem: 'ReadOnly', files: [{ scratch: '1Mi', mountPath: '/scratch' }] })
const writable = claimOf('writable', { image: IMAGE, rootFilesystem: 'Writable' })

/** What the pod answers. */
async function ask(setting: Setting, claim: ClaimManifest, path: string): Promise<string> {
  const [pod] = await podsOf(setting.cluster, claim)
  return (await fetch(`${addressOf(pod ?? {})}${path}`)).text()
}

export function isEnforced(given: () => Setting): void {
  describe('in a namespace with the restricted Pod Security Standard', () => {
    const claims = [privately, readOnly, writable]
    beforeAll(async () => {
      const { api } = given().cluster
      await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: { [ENFORCE]: 'restricted' } } })
      await api.apply(pullSecret(NAMESPACE, 'puller'))
      for (const claim of claims) await api.apply(claim)
    })
    afterAll(async () => {
      for (const claim of claims) await deleteClaim(given().cluster, claim)
    })

    test('the API server refuses a pod that is not restricted', async () => {
      const spec = { containers: [{ name: 'main', image: IMAGE }] }
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'unrestricted', namespace: NAMESPACE }, spec }
      await expect(given().cluster.api.create(pod)).rejects.toThrow('violates PodSecurity "restricted')
    })

    test('a claim runs an image of a private registry by its pull secret', () => ready(given().cluster, privately))

    test('a claim runs an image by its digest', async () => {
      const { cluster } = given()
      const image = `${IMAGE.split(':')[0]}@${await digestOf(cluster, IMAGE)}`
      await cluster.api.apply({ ...writable, spec: { ...writable.spec, image } })
      await cluster.until('the digest is rolled out', async () =>
        JSON.stringify(await podsOf(cluster, writable)).includes(`"image":"${image}"`),
      )
      await ready(cluster, writable)
      expect(at(await cluster.api.get(deploymentOf(writable)), 'spec', 'template', 'spec', 'containers', 0, 'image')).toBe(image)
    })

    test.each([
      { claim: readOnly, path: '/data/file', expected: 'EROFS' },
      { claim: readOnly, path: '/tmp/file', expected: 'written' },
      { claim: readOnly, path: '/scratch/file', expected: 'written' },
      { claim: writable, path: '/data/file', expected: 'written' },
      { claim: writable, path: '/etc/file', expected: 'EACCES' },
    ])('$path of $claim.metadata.name: $expected', async ({ claim, path, expected }) => {
      await ready(given().cluster, claim)
      await given().cluster.until('its answer', async () => (await ask(given(), claim, `/write?path=${path}`)) === expected)
    })

    test('the program has no privileges in the kernel', async () => {
      const { cluster } = given()
      const [pod] = await podsOf(cluster, readOnly)
      const shell = ['/bin/bash', '-c', 'while read -r line; do echo "$line"; done < /proc/self/status']
      const printed = await cluster.kubectl(['-n', NAMESPACE, 'exec', String(at(pod, 'metadata', 'name')), '--', ...shell])
      const of = (field: string) => new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(printed)?.[1]
      expect({ user: of('Uid'), seccomp: of('Seccomp'), noNewPrivileges: of('NoNewPrivs'), capabilities: of('CapBnd') }).toEqual({
        user: '1000\t1000\t1000\t1000',
        seccomp: '2',
        noNewPrivileges: '1',
        capabilities: '0000000000000000',
      })
    })
  })
}
