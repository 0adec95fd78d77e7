// Claims with spec.build, from a commit to the pod that runs it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, items, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import type { Reference } from '../cluster/api.ts'
import {
  API_VERSION,
  becomes,
  type ClaimManifest,
  conditionOf,
  createNamespace,
  deleteClaim,
  deploymentOf,
  KIND,
  ready,
  referenceOf,
} from '../cluster/claim.ts'
import { ownPlatform } from '../cluster/suite/platform.ts'
import { urlOf } from '../pods/service.ts'
import { DOCKERFILE, FLUX_NAMESPACE, HANDLER, SHIPWRIGHT, TEKTON } from './engine.ts'
import { figures, measured } from './figures.ts'
import type { Repository } from './git.ts'
import { digestIn, SHIPWRIGHT_API } from './runs.ts'
import { withBuilds } from './setting.ts'
import { app, broken, handler, slowly } from './sources.ts'

const SHOP = 'shop'
const STREAM = 'BUILT'
const REGISTRY = 'ghcr.io/apps'
const COMMITS = 100
const BURST_MS = 100

const given = withBuilds()
const platform = ownPlatform('builds')

beforeAll(async () => {
  const { cluster, nats } = given()
  await createNamespace(cluster, SHOP)
  await platform.create(given(), { build: { registry: REGISTRY, languages: { nodejs: { strategy: HANDLER } } } })
  await nats.createStream(STREAM)
})
afterAll(() => void process.stderr.write(`${figures()}\n`))

interface Built {
  readonly name: string
  readonly git: JsonObject
  readonly build?: JsonObject
  readonly spec?: JsonObject
}

/** A claim that builds this revision. */
const built = ({ name, git, build = { strategy: DOCKERFILE }, spec = {} }: Built): ClaimManifest => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name, namespace: SHOP },
  spec: {
    ...platform.choice,
    build: { git, ...build },
    size: 'micro',
    nats: { stream: STREAM, consumer: name },
    scaling: { minReplicas: 1, maxReplicas: 1, pollingInterval: 1, cooldownPeriod: 1 },
    ...spec,
  },
})

const apply = (claim: ClaimManifest) => given().cluster.kubectl(['apply', '-f', '-'], JSON.stringify(claim))
/** With the consumer that the claim names. */
async function create(claim: ClaimManifest): Promise<void> {
  await given().nats.createConsumer(STREAM, claim.metadata.name)
  await apply(claim)
}
const runs: Reference = { apiVersion: SHIPWRIGHT_API, kind: 'BuildRun', namespace: SHOP }

const runsOf = async ({ metadata: { name } }: ClaimManifest): Promise<JsonObject[]> =>
  (await given().cluster.api.list(runs)).filter(run => textOf(at(run, 'metadata', 'name')).startsWith(`${name}-`))

const imageOf = async (claim: ClaimManifest): Promise<string | undefined> => {
  const image = at(await given().cluster.api.find(deploymentOf(claim)), 'spec', 'template', 'spec', 'containers', 0, 'image')
  return image === undefined ? undefined : textOf(image)
}

const statusOf = async (claim: ClaimManifest): Promise<JsonObject> =>
  (at(await given().cluster.api.get(referenceOf(claim)), 'status', 'build') ?? {}) as JsonObject

const revised = (claim: ClaimManifest, fields: JsonObject): ClaimManifest => ({
  ...claim,
  spec: { ...claim.spec, build: { ...(claim.spec.build as JsonObject), ...fields } },
})
const at1 = (claim: ClaimManifest, revision: string): ClaimManifest =>
  revised(claim, { git: { ...(at(claim.spec, 'build', 'git') as JsonObject), revision } })

/** Waits until the pod answers this text, and the claim is ready. */
async function answers(claim: ClaimManifest, text: string): Promise<void> {
  const { cluster } = given()
  await cluster.until(
    `${claim.metadata.name} answers ${text}`,
    async () => (await (await fetch(await urlOf(cluster, claim))).text()) === text,
  )
  await ready(cluster, claim)
}

/** Waits until the claim runs a digest of this commit, and returns the chain from the commit to the pod. */
async function chainOf(claim: ClaimManifest, commit: string) {
  const { cluster } = given()
  const { name } = claim.metadata
  const status = await cluster.until(`${name} runs ${commit}`, async () => {
    const build = await statusOf(claim)
    return build.commit === commit && (await imageOf(claim)) === build.image ? build : undefined
  })
  const repository = `${REGISTRY}/${SHOP}/${name}`
  const tag = textOf(at(status, 'name')).slice(name.length + 1)
  const registry = await digestIn(cluster, `apps/${SHOP}/${name}:${tag}`)
  expect(await imageOf(claim)).toBe(`${repository}@${registry}`)
  expect(status).toMatchObject({ image: `${repository}@${registry}`, commit })
  return { commit, run: textOf(at(status, 'name')), registry, deployment: await imageOf(claim) }
}

/** The names of all BuildRuns of the claim that were created meanwhile. */
function watchRuns({ metadata: { name } }: ClaimManifest) {
  const seen = new Set<string>()
  let [now, most] = [0, 0]
  const there = new Set<string>()
  const watch = given().cluster.api.watch(runs, ({ type, object }) => {
    const run = textOf(at(object, 'metadata', 'name'))
    if (!run.startsWith(`${name}-`)) return
    seen.add(run)
    if (type === 'DELETED') there.delete(run)
    else there.add(run)
    now = there.size
    most = Math.max(most, now)
  })
  return { seen, most: () => most, stop: watch.stop }
}

describe('a claim', () => {
  let repository: Repository
  let claim: ClaimManifest
  const commits: string[] = []

  test('has no workload before its first image, and runs the digest that the registry has', async () => {
    const { cluster, git } = given()
    repository = git.createRepository('shop/catalog')
    commits.push(repository.commit(app('v1')))
    claim = built({ name: 'catalog', git: { url: repository.url, revision: commits[0] ?? '' } })
    const chain = await measured(async () => {
      await create(claim)
      await becomes(cluster, claim, 'BuildReady', 'False', 'Building')
      expect(await imageOf(claim)).toBeUndefined()
      await ready(cluster, claim)
      return chainOf(claim, commits[0] ?? '')
    })
    expect(await conditionOf(cluster, claim, 'BuildReady')).toMatchObject({ status: 'True', reason: 'Built' })
    await answers(claim, 'v1')
    const [pod] = await cluster.api.list(
      { apiVersion: 'v1', kind: 'Pod', namespace: SHOP },
      '?labelSelector=app.kubernetes.io/name=catalog',
    )
    expect(textOf(at(pod, 'status', 'containerStatuses', 0, 'imageID'))).toContain(chain.registry)
    process.stderr.write(
      `${Object.entries(chain)
        .map(([link, value]) => `${link} ${value}`)
        .join('\n  → ')}\n`,
    )
  })

  test('keeps its image while a revision is broken, and runs the next one', async () => {
    const { cluster } = given()
    const before = await imageOf(claim)
    commits.push(repository.commit(broken))
    await apply(at1(claim, commits[1] ?? ''))
    const failed = await becomes(cluster, claim, 'BuildReady', 'False', 'Failed')
    expect(failed.message).toMatch(/keeps running.*kubectl -n shop logs catalog-\S+-pod -c step-build/)
    expect(await imageOf(claim)).toBe(before)
    await answersNow(claim, 'v1')
    commits.push(repository.commit(app('v2')))
    await measured(async () => {
      await apply(at1(claim, commits[2] ?? ''))
      await chainOf(claim, commits[2] ?? '')
      await answers(claim, 'v2')
    })
    expect(await imageOf(claim)).not.toBe(before)
  })

  test('goes back to an older revision without a second build', async () => {
    const watch = watchRuns(claim)
    const { history } = await statusOf(claim)
    expect(items(history).map(one => at(one, 'reason'))).toEqual(['Built', 'Failed', 'Built'])
    await apply(at1(claim, commits[0] ?? ''))
    await answers(claim, 'v1')
    const { name } = await statusOf(claim)
    watch.stop()
    expect(name).toBe(at(items(history).at(-1), 'name'))
    expect([...watch.seen]).not.toContain(name)
    await chainOf(claim, commits[0] ?? '')
  })

  test('goes from a build to an image and back', async () => {
    const { cluster } = given()
    const image = textOf(await imageOf(claim))
    const { build, ...others } = claim.spec
    await apply({ ...claim, spec: { ...others, image } })
    await cluster.until('no BuildRun is left', async () => (await runsOf(claim)).length === 0)
    await answers(claim, 'v1')
    commits.push(repository.commit(app('v3')))
    await measured(async () => {
      await apply(at1({ ...claim, spec: { ...others, build: build as JsonObject } }, commits[3] ?? ''))
      await answers(claim, 'v3')
    })
    await chainOf(claim, commits[3] ?? '')
  })

  test.each(['v4', 'v5'])('runs the next commit: %s', async text => {
    const commit = repository.commit(app(text))
    await measured(async () => {
      await given().cluster.api.patch(referenceOf(claim), { spec: { build: { git: { revision: commit } } } })
      await answers(claim, text)
    })
    await chainOf(claim, commit)
  })

  test('leaves nothing when it is deleted', async () => {
    await deleteClaim(given().cluster, claim)
    await given().cluster.until('no BuildRun is left', async () => (await runsOf(claim)).length === 0)
  })
})

async function answersNow(claim: ClaimManifest, text: string): Promise<void> {
  expect(await (await fetch(await urlOf(given().cluster, claim))).text()).toBe(text)
}

test.concurrent('follows a branch that Flux reads', async () => {
  const { cluster, git } = given()
  const repository = git.createRepository('shop/followed')
  let commit = repository.commit(app('1'))
  const claim = built({ name: 'followed', git: { url: repository.url, revision: 'main', follow: true } })
  await create(claim)
  await answers(claim, '1')
  for (const text of ['2', '3']) {
    commit = repository.commit(app(text))
    await measured(async () => {
      // As a webhook of the git server does through Flux's Receiver.
      const annotation = `reconcile.fluxcd.io/requestedAt=${Date.now()}`
      await cluster.kubectl(['-n', SHOP, 'annotate', '--overwrite', 'gitrepository/followed-build', annotation])
      await chainOf(claim, commit)
      await answers(claim, text)
    })
  }
  await deleteClaim(cluster, claim)
})

test.concurrent('serves a repository that only exports a handler', async () => {
  const { cluster, git, nats } = given()
  const repository = git.createRepository('shop/orders')
  const claim = built({
    name: 'orders',
    git: { url: repository.url, revision: repository.commit(handler('order taken')) },
    build: { language: 'nodejs' },
  })
  await measured(async () => {
    await create(claim)
    await ready(cluster, claim)
  })
  await nats.publish(STREAM.toLowerCase(), JSON.stringify({ order: 'o-17' }))
  await cluster.until('the handler has the message', async () => {
    const log = await cluster.kubectl(['-n', SHOP, 'logs', 'deployment/orders'])
    return /order taken.*o-17/.test(log)
  })
  await deleteClaim(cluster, claim)
})

test.concurrent('says that it waits for quota', async () => {
  const { cluster, git } = given()
  const repository = git.createRepository('full/app')
  await createNamespace(cluster, 'scarce')
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota', namespace: 'scarce' }, spec: { hard: { pods: '0' } } }
  await cluster.api.apply(quota)
  await cluster.until('the quota counts', async () => {
    const { status } = await cluster.api.get({ apiVersion: 'v1', kind: 'ResourceQuota', namespace: 'scarce', name: 'quota' })
    return at(status, 'hard', 'pods') === '0'
  })
  const there = built({ name: 'waiting', git: { url: repository.url, revision: repository.commit(app('1')) } })
  const claim = { ...there, metadata: { name: 'waiting', namespace: 'scarce' } }
  await create(claim)
  const message = await cluster.until('it says so', async () => {
    const condition = await conditionOf(cluster, claim, 'BuildReady')
    return condition?.message.includes('exceeded quota') ? condition.message : undefined
  })
  expect(message).toContain('It waits:')
  await deleteClaim(cluster, claim)
})

test.concurrent('says that its build was canceled, and builds again when asked', async () => {
  const { cluster, git } = given()
  const repository = git.createRepository('shop/canceled')
  const claim = built({ name: 'canceled', git: { url: repository.url, revision: repository.commit(slowly(app('1'), 6)) } })
  await create(claim)
  const run = await cluster.until('the build runs', async () => {
    const [first] = await runsOf(claim)
    return at(first, 'status', 'conditions', 0, 'reason') === 'Running' ? textOf(at(first, 'metadata', 'name')) : undefined
  })
  await cluster.api.patch({ ...runs, name: run }, { spec: { state: 'BuildRunCanceled' } })
  const condition = await becomes(cluster, claim, 'BuildReady', 'False', 'BuildRunCanceled')
  expect(condition.message).toContain('spec.build.attempt')
  await apply(revised(claim, { attempt: '2' }))
  await ready(cluster, claim)
  await answers(claim, '1')
  await deleteClaim(cluster, claim)
})

test('survives the end of every controller in the middle of a build', async () => {
  const { cluster, git } = given()
  const { kubectl, until } = cluster
  const repository = git.createRepository('shop/tough')
  const commit = repository.commit(slowly(app('1'), 15))
  const claim = built({ name: 'tough', git: { url: repository.url, revision: commit } })
  const watch = watchRuns(claim)
  await create(claim)
  await until('the build runs', async () => at((await runsOf(claim))[0], 'status', 'conditions', 0, 'reason') === 'Running')
  const namespaces = [TEKTON, SHIPWRIGHT, FLUX_NAMESPACE, 'crossplane-system']
  await Promise.all(namespaces.map(one => kubectl(['-n', one, 'delete', 'pod', '--all', '--wait=false', '--grace-period=1'])))
  await chainOf(claim, commit)
  await ready(cluster, claim)
  watch.stop()
  expect(watch.seen.size).toBe(1)
  await deleteClaim(cluster, claim)
})

test(`keeps few objects over ${COMMITS} commits in a row`, async () => {
  const { cluster, git } = given()
  const repository = git.createRepository('shop/busy')
  const claim = built({ name: 'busy', git: { url: repository.url, revision: repository.commit(app('0')) } })
  await create(claim)
  await ready(cluster, claim)
  const watch = watchRuns(claim)
  let commit = ''
  for (let count = 1; count <= COMMITS; count++) {
    commit = repository.commit(app(String(count)))
    await cluster.api.patch(referenceOf(claim), { spec: { build: { git: { revision: commit } } } })
    await new Promise(resolve => setTimeout(resolve, BURST_MS))
  }
  await chainOf(claim, commit)
  await answers(claim, String(COMMITS))
  watch.stop()
  const tasks = await cluster.api.list({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', namespace: SHOP })
  const pods = await cluster.api.list({ apiVersion: 'v1', kind: 'Pod', namespace: SHOP }, '?labelSelector=tekton.dev/taskRun')
  process.stderr.write(`${COMMITS} commits in a row: ${watch.seen.size} builds began, at most ${watch.most()} BuildRuns at once\n`)
  expect((await runsOf(claim)).length).toBeLessThanOrEqual(2)
  expect(Math.max(tasks.length, pods.length)).toBeLessThanOrEqual(2)
  expect(items((await statusOf(claim)).history).length).toBeLessThanOrEqual(5)
  await deleteClaim(cluster, claim)
})
