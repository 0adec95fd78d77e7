import { expect, test } from 'vitest'
import { buildDiagnosis } from '../../../src/capabilities/build/doctor.ts'
import type { ResolvedClaim } from '../../../src/claim/resolved-claim.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../../src/platform/platform.ts'
import { findingsMessage } from '../../../src/reconcile/conditions.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { secretTable } from '../../cli/doctor/cluster.ts'
import { buildClaim, git, withBuild } from '../../fixtures/build.ts'
import { claim } from '../../fixtures/claims.ts'
import { type Answers, clusterOf } from '../../fixtures/doctor-api.ts'

const listed = (name: string) => `/apis/apps/v1/deployments?fieldSelector=metadata.name%3D${name}`
const strategy = (name: string) => `/apis/shipwright.io/v1beta1/clusterbuildstrategies/${name}`
const crd = (name: string) => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`
const keys = (name: string) => `/api/v1/namespaces/shop/secrets/${name}`
const row = (name: string) => `${keys(name)}?includeObject=None`

const deployment = (name: string, namespace: string, status: JsonObject = {}): JsonObject => ({
  metadata: { name, namespace },
  spec: { replicas: 1, selector: { matchLabels: { app: name } } },
  status: { replicas: 1, readyReplicas: 1, conditions: [{ type: 'Available', status: 'True' }], ...status },
})
const shipwright = deployment('shipwright-build-controller', 'shipwright-build')

const healthy: Answers = {
  [listed('shipwright-build-controller')]: { items: [shipwright] },
  [listed('tekton-pipelines-controller')]: { items: [deployment('tekton-pipelines-controller', 'tekton-pipelines')] },
  [listed('source-controller')]: { items: [deployment('source-controller', 'flux-system')] },
  ...Object.fromEntries(['buildah', 'buildpacks-v3', 'ko'].map(name => [strategy(name), { metadata: { name } }])),
}

function imageClaim(): ResolvedClaim {
  const parsed = parseClaim(claim(), withBuild())
  if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
  return parsed.claim
}

interface Asked {
  readonly build?: JsonObject
  readonly platform?: Platform
}

async function diagnosed(answers: Answers, { build, platform = withBuild() }: Asked) {
  const claims = build === undefined ? [] : [buildClaim(build, {}, platform)]
  return buildDiagnosis.check(clusterOf({ ...healthy, ...answers }), { claims, platform })
}

const say = async (answers: Answers = {}, asked: Asked = { build: { git } }) =>
  (await diagnosed(answers, asked)).map(({ name, state, message }) => `${name}: ${state}: ${message}`)

test('a cluster that has everything', async () => {
  expect(await say()).toEqual([
    'Shipwright: well: installed CRDs: buildruns.shipwright.io, clusterbuildstrategies.shipwright.io',
    'shipwright-build-controller: well: Deployment shipwright-build/shipwright-build-controller has 1 of 1 replicas ready',
    'Tekton Pipelines: well: installed CRDs: taskruns.tekton.dev',
    'tekton-pipelines-controller: well: Deployment tekton-pipelines/tekton-pipelines-controller has 1 of 1 replicas ready',
    'ClusterBuildStrategy buildah: well: exists',
  ])
})

test.each<{ says: string; platform: Platform; claims: readonly ResolvedClaim[]; needed: boolean }>([
  { says: 'a platform without builds does not', platform: builtInPlatform, claims: [], needed: false },
  { says: 'a platform with builds does', platform: withBuild(), claims: [], needed: true },
  { says: 'a claim with an image does not', platform: withBuild(), claims: [imageClaim()], needed: false },
  { says: 'a claim with a build does', platform: withBuild(), claims: [imageClaim(), buildClaim()], needed: true },
])('needs Shipwright: $says', ({ platform, claims, needed }) => {
  expect(buildDiagnosis.isNeeded({ claims, platform })).toBe(needed)
})

const follow = { ...git, revision: 'main', follow: true }
const ssh = { ...git, url: 'ssh://git@github.com/acme/orders-worker', cloneSecret: 'orders-git' }

test.each<{ says: string; answers?: Answers; asked?: Asked; finds: string }>([
  {
    says: 'no Shipwright',
    answers: { [crd('buildruns.shipwright.io')]: undefined },
    finds: 'Shipwright: wrong: missing CRDs: buildruns.shipwright.io',
  },
  {
    says: 'no controller of Shipwright',
    answers: { [listed('shipwright-build-controller')]: { items: [] } },
    finds: 'shipwright-build-controller: wrong: no namespace has a Deployment of this name, so no build begins or ends',
  },
  {
    says: 'a controller that is not ready',
    answers: { [listed('shipwright-build-controller')]: { items: [{ ...shipwright, status: {} }] } },
    finds: 'shipwright-build-controller: wrong: Deployment shipwright-build/shipwright-build-controller has 0 of 1 replicas ready',
  },
  {
    says: 'Deployments that may not be listed',
    answers: { [listed('tekton-pipelines-controller')]: undefined },
    finds: "tekton-pipelines-controller: unknown: its Deployment can't be listed: not found",
  },
  {
    says: 'no Tekton',
    answers: { [crd('taskruns.tekton.dev')]: undefined },
    finds: 'Tekton Pipelines: wrong: missing CRDs: taskruns.tekton.dev',
  },
  {
    says: 'no Flux for a branch',
    answers: { [crd('gitrepositories.source.toolkit.fluxcd.io')]: undefined },
    asked: { build: { git: follow } },
    finds: 'Flux: wrong: missing CRDs: gitrepositories.source.toolkit.fluxcd.io',
  },
  {
    says: 'the controller of Flux',
    asked: { build: { git: follow } },
    finds: 'source-controller: well: Deployment flux-system/source-controller has 1 of 1 replicas ready',
  },
  {
    says: 'a missing strategy of a claim',
    asked: { build: { git, strategy: 'buildkit' } },
    finds: 'ClusterBuildStrategy buildkit: wrong: does not exist, so every build with it fails',
  },
  {
    says: 'a missing strategy of a language, without any claim',
    answers: { [strategy('ko')]: undefined },
    asked: {},
    finds: 'ClusterBuildStrategy ko: wrong: does not exist, so every build with it fails',
  },
  {
    says: 'the default strategy of a platform without languages',
    asked: { platform: withBuild({ languages: {} }) },
    finds: 'ClusterBuildStrategy buildah: well: exists',
  },
  {
    says: 'a missing secret for the repository',
    asked: { build: { git: { ...git, cloneSecret: 'orders-git' } } },
    finds: "Secret orders-git of shop/orders (clone): wrong: namespace shop has no Secret 'orders-git'",
  },
  {
    says: 'a secret for HTTPS',
    answers: { [keys('orders-git')]: { type: 'kubernetes.io/basic-auth', data: { username: '', password: '' } } },
    asked: { build: { git: { ...git, cloneSecret: 'orders-git' } } },
    finds: 'Secret orders-git of shop/orders (clone): well: exists',
  },
  {
    says: 'a secret for SSH at an address of HTTPS',
    answers: { [keys('orders-git')]: { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } } },
    asked: { build: { git: { ...git, cloneSecret: 'orders-git' } } },
    finds:
      "Secret orders-git of shop/orders (clone): wrong: has no key 'username', 'password', which HTTPS needs; its keys: ssh-privatekey",
  },
  {
    says: 'a secret for SSH',
    answers: { [keys('orders-git')]: { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } } },
    asked: { build: { git: ssh } },
    finds: 'Secret orders-git of shop/orders (clone): well: exists',
  },
  {
    says: 'a secret for SSH without the keys of Flux',
    answers: { [keys('orders-git')]: { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } } },
    asked: { build: { git: { ...ssh, revision: 'main', follow: true } } },
    finds:
      "Secret orders-git of shop/orders (clone): wrong: has no key 'identity', 'known_hosts', which SSH needs; its keys: ssh-privatekey",
  },
  {
    says: "a missing secret of the platform's registry",
    asked: { build: { git }, platform: withBuild({ pushSecret: 'registry' }) },
    finds: "Secret registry of shop/orders (push): wrong: namespace shop has no Secret 'registry'",
  },
  {
    says: 'a secret for the registry',
    answers: { [row('registry')]: secretTable({ name: 'registry', type: 'kubernetes.io/dockerconfigjson' }) },
    asked: { build: { git, output: { pushSecret: 'registry' } } },
    finds: 'Secret registry of shop/orders (push): well: exists',
  },
  {
    says: 'a secret of another type for the registry',
    answers: { [row('registry')]: secretTable({ name: 'registry' }) },
    asked: { build: { git, output: { pushSecret: 'registry' } } },
    finds: 'Secret registry of shop/orders (push): wrong: has type Opaque; the type must be kubernetes.io/dockerconfigjson',
  },
])('finds $says', async ({ answers = {}, asked, finds }) => expect(await say(answers, asked)).toContain(finds))

test('the commands that create a secret have no value in them', async () => {
  const platform = withBuild({ pushSecret: 'registry' })
  const fixes = async (build: JsonObject) =>
    (await diagnosed({}, { build, platform })).flatMap(({ name, fix }) => (name.startsWith('Secret') ? [fix] : []))
  const push =
    'kubectl -n shop create secret docker-registry registry --docker-server=registry.example.com --docker-username="$REGISTRY_USER" --docker-password="$REGISTRY_TOKEN"'
  expect(await fixes({ git: { ...git, cloneSecret: 'orders-git' } })).toEqual([
    'kubectl -n shop create secret generic orders-git --type=kubernetes.io/basic-auth --from-file=username --from-file=password',
    push,
  ])
  expect(await fixes({ git: { ...ssh, revision: 'main', follow: true } })).toEqual([
    'kubectl -n shop create secret generic orders-git --type=kubernetes.io/ssh-auth --from-file=ssh-privatekey --from-file=identity=ssh-privatekey --from-file=known_hosts',
    push,
  ])
})
