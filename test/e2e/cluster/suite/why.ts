// eds why names the first cause of what really goes wrong, and eds wait returns when it is over.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, items, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { root } from '../../../fixtures/claim-files.ts'
import { createNamespace, deleteClaim, ready, referenceOf, worker } from '../claim.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'why'
const STREAM = 'WHY'

const asked = worker(NAMESPACE, 'asked', STREAM)
const sleepy = worker(NAMESPACE, 'sleepy', STREAM, {
  scaling: { minReplicas: 0, maxReplicas: 2, lagThreshold: 5, pollingInterval: 1, cooldownPeriod: 1 },
})
const SUBJECT = `${NAMESPACE}/${asked.metadata.name}`

interface Ran {
  readonly exit: number
  readonly stdout: string
}

const eds = ({ cluster: { kubeconfig } }: Setting, ...args: string[]): Promise<Ran> =>
  new Promise((resolve, reject) =>
    execFile(
      process.execPath,
      [join(root, 'dist/eds.js'), ...args],
      { env: { ...process.env, KUBECONFIG: kubeconfig } },
      (error, stdout, stderr) => {
        const exit = error === null ? 0 : error.code
        if (exit === 0 || exit === 1) resolve({ exit, stdout })
        else reject(new Error(`eds ${args.join(' ')}: ${stderr || error?.message}`))
      },
    ),
  )

/** The pod status of the kubelet for a missing image, which KWOK does not set. */
const notPulled: JsonObject = {
  phase: 'Pending',
  conditions: ['Ready', 'ContainersReady'].map(type => ({ type, status: 'False' })),
  containerStatuses: [
    {
      ...{ name: 'main', image: 'ghcr.io/acme/orders-worker:1.4.2', imageID: '', ready: false, restartCount: 0 },
      state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "ghcr.io/acme/orders-worker:1.4.2"' } },
    },
  ],
}

export function explainsClaims(given: () => Setting): void {
  describe('eds why and eds wait', () => {
    const patchClaim = (spec: JsonObject) => given().cluster.api.patch(referenceOf(asked), { spec })
    const pods = async () =>
      (await given().cluster.api.list({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE })).filter(
        pod => at(pod, 'metadata', 'labels', 'app.kubernetes.io/name') === asked.metadata.name,
      )
    /** Waits until the first line has the cause, and returns the whole screen. */
    async function names(cause: RegExp): Promise<Ran> {
      let last: Ran | undefined
      return given()
        .cluster.until(`eds why names ${cause}`, async () => {
          last = await eds(given(), 'why', SUBJECT)
          return cause.test(last.stdout.split('\n')[0] ?? '') ? last : undefined
        })
        .catch(error => {
          throw new Error(`${error instanceof Error ? error.message : error}; last it printed:\n${last?.stdout}`)
        })
    }
    const waitUntil = (goal: string, timeout: string, subject = SUBJECT) =>
      eds(given(), 'wait', subject, '--for', goal, '--timeout', timeout)

    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      for (const { metadata } of [asked, sleepy]) await nats.createConsumer(STREAM, metadata.name, { max_deliver: 5 })
      await cluster.api.apply(asked)
      await cluster.api.apply(sleepy)
      await ready(cluster, sleepy)
    })
    afterAll(async () => {
      for (const claim of [asked, sleepy]) await deleteClaim(given().cluster, claim)
    })

    test('waits for a new claim, and then nothing is wrong', async () => {
      expect(await waitUntil('ready', '3m')).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^✓ why\/asked {2}ready after /) })
      const { exit, stdout } = await names(/ready: /)
      expect({ exit, stdout }).toEqual({
        exit: 0,
        stdout:
          '✓ why/asked  ready: Deployment of ghcr.io/acme/orders-worker:1.4.2; 1 of 1 pods ready, 0 restarts; lag 0: 0 waiting, 0 in work\n',
      })
    })

    test('names an image that cannot be pulled, and waits until the pods are ready again', async () => {
      const { cluster } = given()
      for (const pod of await pods()) {
        const patch = JSON.stringify({ status: notPulled })
        const name = String(at(pod, 'metadata', 'name'))
        await cluster.kubectl(['-n', NAMESPACE, 'patch', 'pod', name, '--subresource=status', '--type=merge', '-p', patch])
      }
      const { exit, stdout } = await names(/Pods: 1 of 1 failing: pod asked-\S+: ImagePullBackOff/)
      expect({ exit, stdout }).toEqual({ exit: 1, stdout: expect.stringMatching(/^ +→ kubectl -n why describe pod asked-\S+$/m) })
      expect(stdout).toMatch(/^✓ ScaledObject asked-scaler /m)
      expect(stdout).toMatch(/^[✓✗–] Claim /m)
      const failed = await waitUntil('ready', '3s')
      expect(failed).toEqual({ exit: 1, stdout: expect.stringMatching(/not ready after \S+: [\s\S]*ImagePullBackOff/) })
      await cluster.kubectl(['-n', NAMESPACE, 'delete', 'pods', '-l', `app.kubernetes.io/name=${asked.metadata.name}`])
      expect(await waitUntil('ready', '3m')).toMatchObject({ exit: 0 })
    })

    test('returns from a change of the image only when every pod runs it', async () => {
      for (const tag of ['1.4.3', '1.4.4', '1.4.2']) {
        const image = `ghcr.io/acme/orders-worker:${tag}`
        await patchClaim({ image })
        expect(await waitUntil('ready', '3m')).toMatchObject({ exit: 0, stdout: expect.stringContaining(image) })
        const current = (await pods()).filter(pod => at(pod, 'metadata', 'deletionTimestamp') === undefined)
        const images = current.flatMap(pod => items(at(pod, 'spec', 'containers')).map(container => at(container, 'image')))
        expect(images).toEqual([image])
      }
    })

    test('names a missing stream, and waits until it exists', async () => {
      const { nats } = given()
      await patchClaim({ nats: { stream: 'NOWHERE' } })
      const { exit, stdout } = await names(/Stream: account '\$G' has no stream 'NOWHERE'/)
      expect({ exit, stdout }).toEqual({ exit: 1, stdout: expect.stringMatching(/^ +→ nats stream add -- NOWHERE$/m) })
      await nats.createStream('NOWHERE')
      await nats.createConsumer('NOWHERE', asked.metadata.name, { max_deliver: 5 })
      expect(await waitUntil('ready', '3m')).toMatchObject({ exit: 0 })
      await patchClaim({ nats: { stream: STREAM } })
      expect(await waitUntil('ready', '3m')).toMatchObject({ exit: 0 })
    })

    test('names the mistake of a refused claim, for which waiting is useless, and waits after the correction', async () => {
      await patchClaim({
        env: [{ name: 'PASSWORD', value: 'x' }],
        secretRefs: [{ name: 'later', env: [{ secretKey: 'password', envName: 'PASSWORD' }] }],
      })
      const { exit, stdout } = await names(/must not be the same as spec\.env\[0\]\.name/)
      expect({ exit, stdout }).toEqual({ exit: 1, stdout: expect.stringMatching(/^ +→ kubectl -n why edit eventdrivenservice asked$/m) })
      const useless = await waitUntil('ready', '3m')
      expect(useless).toEqual({ exit: 1, stdout: expect.stringMatching(/will not be ready: .*must not be the same as/) })
      await patchClaim({ env: null, secretRefs: null })
      expect(await waitUntil('ready', '3m')).toMatchObject({ exit: 0 })
    })

    test('names a pause with the command that ends it', async () => {
      const { cluster } = given()
      await cluster.kubectl(['-n', NAMESPACE, 'annotate', 'eventdrivenservice', 'asked', 'crossplane.io/paused=true'])
      const { stdout } = await names(/Crossplane changes nothing while the claim has the annotation/)
      const [, command = ''] = /→ kubectl (.*)$/m.exec(stdout) ?? []
      await cluster.kubectl(command.split(' '))
      await names(/ready: /)
    })

    test('waits until no message is left, also none in work', async () => {
      const { nats } = given()
      const name = asked.metadata.name
      await nats.fill(STREAM, 3)
      await nats.hold(STREAM, name, 2)
      expect(await waitUntil('drained', '2s')).toEqual({
        exit: 1,
        stdout: expect.stringMatching(/not drained after \S+: lag 3: 1 waiting, 2 in work/),
      })
      const waited = waitUntil('drained', '2m')
      await nats.take(STREAM, name, 1)
      // NATS delivers the messages again that nobody acknowledges.
      await given().cluster.until('nothing waits', async () => {
        await nats.take(STREAM, name, 10)
        return (await nats.lag(STREAM, name)) === 0
      })
      expect(await waited).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^✓ why\/asked {2}drained after /) })
    })

    test('waits until no pod is left', async () => {
      const { nats } = given()
      await nats.take(STREAM, 'sleepy', 10)
      expect(await waitUntil('scaled-to-zero', '3m', 'why/sleepy')).toEqual({
        exit: 0,
        stdout: expect.stringMatching(/^✓ why\/sleepy {2}scaled to zero after .*: no pods\n$/),
      })
      expect(await waitUntil('scaled-to-zero', '3m')).toEqual({
        exit: 1,
        stdout: expect.stringContaining('will not be scaled to zero: spec.scaling.minReplicas is 1'),
      })
    })
  })
}
