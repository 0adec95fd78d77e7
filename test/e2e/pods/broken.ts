// Claims whose pods do not run, as the kubelet and the scheduler of a real node report them, and the words for it on the claim and of
// eds doctor.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PublishedCheck } from '../../../src/cli/doctor/print.ts'
import { observedCondition } from '../../../src/kubernetes/conditions.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { root } from '../../fixtures/claim-files.ts'
import { type ClaimManifest, createNamespace, deleteClaim, deploymentOf, ready, referenceOf, worker } from '../cluster/claim.ts'
import { ownPlatform } from '../cluster/suite/platform.ts'
import { figures } from './figures.ts'
import type { Setting } from './setting.ts'
import { IMAGE, PRIVATE_IMAGE, pullSecret, ROOT_IMAGE } from './workers.ts'

const NAMESPACE = 'broken'
const FULL = 'full'
const repository = IMAGE.split(':')[0]
const variable = (name: string, value: string) => ({ env: [{ name, value }] })

// Sizes of its own: thirteen pods fit on the node, one never does, and memory runs out at once.
const tiny = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } }
const huge = { requests: { cpu: '10m', memory: '1Ti' }, limits: { memory: '1Ti' } }
const platform = ownPlatform('broken')

interface Broken {
  readonly cause: string
  readonly spec: JsonObject
  /** Matches the reason and the message of WorkloadReady. */
  readonly claim: RegExp
  /** Matches what doctor says in one of the rows of the claim. */
  readonly doctor: RegExp
  readonly namespace?: string
}

const broken: readonly Broken[] = [
  {
    cause: 'image not found',
    spec: { image: `${repository}:nowhere` },
    claim: /^ImagePullBackOff: .*not found/,
    doctor: /ImagePull.*not found/,
  },
  {
    cause: 'wrong digest',
    spec: { image: `${repository}@sha256:${'ad3f1b59'.repeat(8)}` },
    claim: /^ImagePullBackOff: .*not found/,
    doctor: /ImagePull.*not found/,
  },
  {
    cause: 'no such registry',
    spec: { image: 'nowhere.invalid/acme/worker:1' },
    claim: /^ImagePullBackOff: .*lookup nowhere\.invalid/,
    doctor: /ImagePull.*nowhere\.invalid/,
  },
  { cause: 'private image without a secret', spec: { image: PRIVATE_IMAGE }, claim: /^ImagePullBackOff: .*401/, doctor: /ImagePull.*401/ },
  {
    cause: 'private image with a wrong password',
    spec: { image: PRIVATE_IMAGE, imagePullSecrets: [{ name: 'wrong' }] },
    claim: /^ImagePullBackOff: .*401/,
    doctor: /ImagePull.*401/,
  },
  { cause: 'program exits with 3', spec: variable('EXIT_CODE', '3'), claim: /^CrashLoopBackOff: .*exit code 3/, doctor: /exit code 3/ },
  {
    cause: 'init container exits with 3',
    spec: { initContainer: { command: ['/nodejs/bin/node', '-e', 'process.exit(3)'] } },
    claim: /^CrashLoopBackOff: .*init container init ended with exit code 3/,
    doctor: /container init ended with exit code 3/,
  },
  { cause: 'out of memory', spec: variable('ALLOCATE_MIB', '256'), claim: /^OOMKilled: .*limit of 128Mi/, doctor: /OOMKilled/ },
  {
    cause: 'command not found',
    spec: { command: ['/nothing'] },
    claim: /^RunContainerError: .*command not found/,
    doctor: /no such file or directory|exit code 128/,
  },
  {
    cause: 'secret missing',
    spec: { secretRefs: [{ name: 'nowhere', env: [{ name: 'A', key: 'a' }] }] },
    claim: /^CreateContainerConfigError: .*secret "nowhere" not found/,
    doctor: /nowhere/,
  },
  {
    cause: 'key missing',
    spec: { secretRefs: [{ name: 'incomplete', env: [{ name: 'A', key: 'a' }] }] },
    claim: /^CreateContainerConfigError: .*find key a in Secret/,
    doctor: /incomplete/,
  },
  {
    cause: 'secret of a file missing',
    spec: { files: [{ secret: 'nowhere', mountPath: '/etc/own' }] },
    claim: /^Unavailable: .*it mounts Secret nowhere/,
    doctor: /nowhere/,
  },
  {
    cause: 'never ready',
    spec: variable('NEVER_READY', 'true'),
    claim: /^Unavailable: .*readiness probe of container main does not succeed: GET \/ready/,
    doctor: /Unhealthy.*statuscode: 503/,
  },
  {
    cause: 'liveness path not found',
    spec: { probes: { liveness: { path: '/nothing', period: '1s', failures: 1 } } },
    claim: /^(CrashLoopBackOff: .*liveness probe failed|Available)/,
    doctor: /statuscode: 404|CrashLoopBackOff/,
  },
  {
    cause: 'too big for every node',
    spec: { size: 'large' },
    claim: /^Unschedulable: .*Insufficient memory/,
    doctor: /Unschedulable.*Insufficient memory/,
  },
  {
    cause: 'quota used up',
    spec: {},
    claim: /^FailedCreate: .*exceeded quota|^Waiting: .*something else prevents its pods/,
    doctor: /^ReplicaSet .* can't create pods: forbidden: exceeded quota/,
    namespace: FULL,
  },
]

const nameOf = (cause: string) => cause.replaceAll(' ', '-')
const claimOf = ({ cause, spec, namespace = NAMESPACE }: Broken): ClaimManifest =>
  JSON.parse(
    JSON.stringify(
      worker(namespace, nameOf(cause), '', {
        ...{ image: IMAGE, nats: undefined, httpPort: 8080, scaling: { minReplicas: 1 } },
        ...platform.choice,
        ...spec,
      }),
    ),
  ) as ClaimManifest

function doctor({ cluster: { kubeconfig } }: Setting, claims: readonly ClaimManifest[]): Promise<readonly PublishedCheck[]> {
  const names = claims.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
  return new Promise((resolve, reject) =>
    execFile(
      process.execPath,
      [join(root, 'dist/eds.js'), 'doctor', ...names, '-o', 'json'],
      { env: { ...process.env, KUBECONFIG: kubeconfig }, maxBuffer: 1 << 24 },
      (error, stdout, stderr) =>
        error !== null && error.code !== 1 ? reject(new Error(stderr)) : resolve(JSON.parse(stdout).checks as PublishedCheck[]),
    ),
  )
}

const isAbout = ({ name, state }: PublishedCheck, { cause, namespace = NAMESPACE }: Broken): boolean =>
  state !== 'well' && name.endsWith(`${namespace}/${nameOf(cause)}`)

/** The names of pods end differently in each run. */
const withoutHash = (text: string) => text.replace(/\bpod ([a-z0-9-]+)-[a-z0-9]{8,10}-[a-z0-9]{5}\b/g, 'pod $1-…')

export function saysWhatIsBroken(given: () => Setting): void {
  describe('a claim whose pods do not run', () => {
    const claims = broken.map(claimOf)
    const rooted = claimOf({ cause: 'image of root', spec: { image: ROOT_IMAGE }, claim: /^Available/, doctor: /ready/ })

    beforeAll(async () => {
      const { cluster } = given()
      const { api } = cluster
      for (const name of [NAMESPACE, FULL]) await createNamespace(cluster, name)
      await cluster.kubectl(['apply', '-f', join(root, 'package/runtime/rbac/pods.yaml')])
      await platform.create(given(), { sizes: { micro: tiny, large: huge }, features: { podReasons: true } })
      const secret = (name: string, rest: JsonObject) =>
        api.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, ...rest })
      await api.apply(pullSecret(NAMESPACE, 'wrong', 'guessed'))
      await secret('incomplete', { stringData: { other: 'x' } })
      const quota = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'no-pods', namespace: FULL },
        spec: { hard: { pods: '0' } },
      }
      await api.apply(quota)
      for (const claim of [...claims, rooted]) await api.apply(claim)
    })
    afterAll(async () => {
      await Promise.all([...claims, rooted].map(claim => deleteClaim(given().cluster, claim, [deploymentOf(claim)])))
      await platform.remove(given())
    })

    test('an image of root runs as user 1000', () => ready(given().cluster, rooted))

    test('the claim and doctor name each cause', async () => {
      const setting = given()
      const { api, until } = setting.cluster
      let checks: readonly PublishedCheck[] = []
      const says = new Map<string, { claim: string; doctor: string }>()
      const look = async () => {
        checks = await doctor(setting, claims)
        for (const one of broken.filter(({ cause }) => !says.has(cause))) {
          const { reason, message = '' } = observedCondition(await api.get(referenceOf(claimOf(one))), 'WorkloadReady') ?? {}
          const claim = `${reason}: ${message.replace(/ See: .*$/, '')}`
          const { says: row } = checks.find(check => isAbout(check, one) && one.doctor.test(check.says)) ?? {}
          if (one.claim.test(claim) && row !== undefined) says.set(one.cause, { claim, doctor: withoutHash(row) })
        }
        return says.size === broken.length
      }
      // Crossplane calls for a claim that does not change once a minute.
      await until('each cause is named', look, { everyMs: 2_000, timeoutMs: 180_000 }).catch(() => undefined)
      figures.words.push(...broken.flatMap(({ cause }) => ({ cause, ...(says.get(cause) ?? { claim: '', doctor: '' }) })))
      expect(broken.filter(({ cause }) => !says.has(cause)).map(({ cause }) => cause)).toEqual([])
    })

    // The kubelet starts the last one again and again, and it is ready in between.
    test('no claim is ready', async () => {
      const { api } = given().cluster
      const states = await Promise.all(
        claims
          .filter(({ spec }) => spec.probes === undefined)
          .map(async claim => [claim.metadata.name, observedCondition(await api.get(referenceOf(claim)), 'Ready')?.status]),
      )
      expect(states.filter(([, status]) => status === 'True')).toEqual([])
    })
  })
}
