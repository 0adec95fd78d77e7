import { describe, expect, test } from 'vitest'
import { eds } from '../../../src/cli/eds.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { failed, git, running, succeeded } from '../../fixtures/build.ts'
import { type Answers, configOf, refused, startCluster, writeConfig } from '../doctor/cluster.ts'
import { recorded } from '../io.ts'
import { buildPaths, clusterIn, finished, image, type State } from './cluster.ts'

async function run(command: readonly string[], answers: Answers, later: readonly Answers[] = []) {
  const cluster = await startCluster({ answers })
  const { io, stdout, stderr } = recorded({ meanwhile: waits => cluster.change(later[waits - 1] ?? {}) })
  const exit = await eds([...command, '--kubeconfig', writeConfig(configOf({ server: cluster.url }))], io)
  return { exit, stdout: stdout(), stderr: stderr(), asked: cluster.asked }
}

const v1 = finished('v1.4.1', 'a', 0)
const v2 = finished('v1.4.2', 'b', 10)
const old = { history: [v1] }
const step = { location: { pod: 'orders-0-pod', container: 'step-build' } }
const broken = {
  ...old,
  run: (wanted: Parameters<typeof failed>[0]) => failed(wanted, 'Failed', 'buildrun step step-build failed', { failureDetails: step }),
}

describe('eds build status', () => {
  const status = (state: State, ...args: string[]) => run(['build', 'status', 'shop/orders', ...args], clusterIn(state))

  test('shows what runs, the history, and the commands', async () => {
    const { exit, stdout, stderr } = await status({ ...broken })
    expect({ exit, stderr }).toEqual({ exit: 1, stderr: '' })
    expect(stdout).toMatchInlineSnapshot(`
      "✗ shop/orders  Failed: BuildRun orders-4fee8c6916 failed: step build failed. The previous image keeps running. To build the same revision again, change spec.build.attempt.
        runs: registry.example.com/apps/shop/orders@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, v1.4.1

        NAME               REASON  REVISION  COMMIT        TOOK  DIGEST
        orders-4fee8c6916  Failed  v1.4.2    -             1m    -
        orders-0d4850a67b  Built   v1.4.1    aaaaaaaaaaaa  42s   sha256:aaaaaaaaaaaa

        log          kubectl -n shop logs orders-0-pod -c step-build
        build again  kubectl -n shop patch eventdrivenservice orders --type merge -p '{"spec":{"build":{"attempt":"19700101000000"}}}'
      "
    `)
  })

  test.each<{ title: string; state: State; exit: 0 | 1; says: RegExp | string }>([
    {
      title: 'a first build that runs',
      state: { run: running },
      exit: 0,
      says: /^– shop\/orders {2}Building: BuildRun orders-\w+ builds revision v1\.4\.2\.\n {2}runs: nothing, because no build has succeeded yet\n/,
    },
    {
      title: 'a build that runs, with how to end it',
      state: { ...old, run: running },
      exit: 0,
      says: /\n {2}cancel {2,}kubectl -n shop patch buildrun orders-\w+ --type merge -p '\{"spec":\{"state":"BuildRunCanceled"\}\}'\n/,
    },
    {
      title: 'a build that waits for quota',
      state: { run: wanted => running(wanted, 'ExceededResourceQuota', 'exceeded quota: builds') },
      exit: 0,
      says: /^– shop\/orders {2}Building: .* It waits: exceeded quota: builds\.\n/,
    },
    {
      title: 'a build that succeeded',
      state: { ...old, run: wanted => succeeded(wanted, 'b') },
      exit: 0,
      says: /^✓ shop\/orders {2}Built registry\.example\.com\/apps\/shop\/orders@sha256:b{64} from commit/,
    },
    {
      title: 'an image that was built before',
      state: { history: [v2, v1] },
      exit: 0,
      says: /^✓ shop\/orders {2}Built .*\n {2}runs: registry\.example\.com\/apps\/shop\/orders@sha256:b{64}, commit b{40}, v1\.4\.2\n/,
    },
    {
      title: 'a build that failed before anything was built',
      state: { run: wanted => failed(wanted, 'ClusterBuildStrategyNotFound', 'clusterBuildStrategy buildah does not exist') },
      exit: 1,
      says: /^✗ shop\/orders {2}ClusterBuildStrategyNotFound: /,
    },
    {
      title: 'no right to read the composite',
      state: { ...old, run: running, mayReadComposite: false },
      exit: 0,
      says: /^– shop\/orders {2}Building: /,
    },
    {
      title: 'the build of a followed branch without the right to read the composite',
      state: {
        build: { git: { ...git, revision: 'main', follow: true } },
        history: [v1],
        commit: 'c'.repeat(40),
        run: running,
        mayReadComposite: false,
      },
      exit: 0,
      says: /^– shop\/orders {2}Building: BuildRun orders-\w+ builds revision c{40}\.\n(?:.*\n)* {2}orders-\w+ {2}Building {2}c{12} /,
    },
  ])('$title', async ({ state, exit, says }) => {
    const found = await status(state)
    expect(found.stdout).toMatch(says)
    expect(found).toMatchObject({ exit, stderr: '' })
  })

  test.each<{ title: string; state: State; command: string; note: RegExp }>([
    {
      title: 'to a revision that is not built again',
      state: { history: [v2, v1] },
      command: `'{"spec":{"build":{"git":{"revision":"v1.4.1"}}}}'`,
      note: /roll back to v1\.4\.1 {2}/,
    },
    {
      title: 'to a revision before an attempt',
      state: { build: { git, attempt: '2' }, history: [finished('v1.4.2', 'b', 10, { attempt: '2' }), v1] },
      command: `'{"spec":{"build":{"git":{"revision":"v1.4.1"},"attempt":null}}}'`,
      note: /roll back to v1\.4\.1 {2}/,
    },
    {
      title: 'from a followed branch to a commit',
      state: {
        build: { git: { ...git, revision: 'main', follow: true } },
        history: [finished('b'.repeat(40), 'b', 10), finished('a'.repeat(40), 'a', 0)],
      },
      command: `'{"spec":{"build":{"git":{"revision":"${'a'.repeat(40)}","follow":false}}}}'`,
      note: /roll back to a{12} {2}/,
    },
    {
      title: 'that builds again, because more has changed',
      state: { build: { git, timeout: '1h' }, history: [finished('v1.4.2', 'b', 10, { timeout: '1h' }), v1] },
      command: `'{"spec":{"build":{"git":{"revision":"v1.4.1"}}}}'`,
      note: /roll back to v1\.4\.1, which builds it again {2}/,
    },
  ])('offers a way back $title', async ({ state, command, note }) => {
    const { stdout } = await status(state)
    expect(stdout).toContain(`kubectl -n shop patch eventdrivenservice orders --type merge -p ${command}\n`)
    expect(stdout).toMatch(note)
  })

  test.each<{ title: string; status: JsonObject; log: RegExp }>([
    {
      title: 'of all steps',
      status: { executor: { kind: 'TaskRun', name: 'orders-x' } },
      log: /logs -l buildrun\.shipwright\.io\/name=orders-\w+ --all-containers/,
    },
    { title: 'of a build that never had a pod', status: {}, log: /describe buildrun orders-\w+\n/ },
  ])('names the log $title', async ({ status: more, log }) => {
    const { stdout } = await status({ run: wanted => failed(wanted, 'BuildRegistrationFailed', 'referenced secret none not found', more) })
    expect(stdout).toMatch(log)
  })

  test('offers no way back to the image that runs', async () => {
    expect((await status({ history: [v2] })).stdout).not.toContain('roll back')
  })

  test('prints JSON for scripts', async () => {
    const { exit, stdout } = await status(broken, '-o', 'json')
    const text = expect.any(String)
    expect({ exit, output: JSON.parse(stdout) }).toEqual({
      exit: 1,
      output: {
        claim: { namespace: 'shop', name: 'orders' },
        state: 'wrong',
        says: text,
        mend: 'kubectl -n shop logs orders-0-pod -c step-build',
        buildRun: text,
        runs: { ...v1, reason: undefined, digest: image('a').split('@')[1] },
        history: [
          { name: text, reason: 'Failed', revision: 'v1.4.2', startedAt: text, finishedAt: text, seconds: 60 },
          { ...v1, digest: image('a').split('@')[1], seconds: 42 },
        ],
        commands: { log: text, again: text },
      },
    })
  })

  test('reads only', async () => {
    const { asked } = await status(broken)
    expect(asked.filter(path => path.includes('accessreviews'))).toEqual([])
  })

  test.each([
    { title: 'a missing claim', args: ['status', 'shop/other'], answers: {}, exit: 1, says: '✗ shop/other  does not exist\n' },
    {
      title: 'a claim with an image',
      args: ['status', 'shop/orders-worker'],
      answers: {},
      exit: 1,
      says: '✗ shop/orders-worker  has an image, and no build (spec.build)\n',
    },
    { title: 'another action', args: ['shop/orders'], answers: {}, exit: 2, says: 'eds build: expects: eds build status NAMESPACE/NAME\n' },
    {
      title: 'a claim that may not be read',
      args: ['status', 'shop/orders'],
      answers: { [buildPaths.claim]: refused(403, 'forbidden') },
      exit: 1,
      says: "– shop/orders  can't be read: forbidden\n",
    },
  ])('$title', async ({ args, answers, exit, says }) => {
    const found = await run(['build', ...args], { ...clusterIn(old), ...answers })
    expect({ ...found, asked: undefined, stdout: found.stdout.split('\n').slice(0, 1).join('') }).toMatchObject({ exit })
    expect(found.stdout + found.stderr).toContain(says)
  })
})

describe('eds why of a claim that is built', () => {
  const why = (state: State, more: Answers = {}, ...args: string[]) =>
    run(['why', 'shop/orders', ...args], { ...clusterIn(state), ...more })

  test('names a build that failed first, with the end of its log', async () => {
    const log = { [buildPaths.log('orders-0-pod', 'step-build')]: 'npm error missing script: build\n' }
    const { exit, stdout } = await why(broken, log)
    expect(exit).toBe(1)
    expect(stdout).toMatch(
      /^✗ shop\/orders {2}Build: Failed: BuildRun orders-\w+ failed: step build failed\. The previous image keeps running\./,
    )
    expect(stdout).toContain('\n               → kubectl -n shop logs orders-0-pod -c step-build\n')
    expect(stdout).toMatch(/│ log of container step-build of pod orders-0-pod:\n +│ npm error missing script: build\n/)
    expect(stdout).not.toMatch(/BuildRun orders-\w+ {2}/)
  })

  test('names a missing secret before the build that fails without it', async () => {
    const { stdout } = await why({
      build: { git: { ...git, cloneSecret: 'orders-git' } },
      run: wanted => failed(wanted, 'BuildRegistrationFailed', 'referenced secret orders-git not found'),
    })
    expect(stdout).toMatch(/^✗ shop\/orders {2}Secret orders-git \(clone\): namespace shop has no Secret 'orders-git'\n/)
  })

  test('reads no log with --no-logs', async () => {
    const { asked } = await why(broken, {}, '--no-logs')
    expect(asked.filter(path => path.includes('/log?'))).toEqual([])
  })

  test('waits for the first build', async () => {
    const { exit, stdout } = await why({ run: running })
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: expect.stringMatching(/^– shop\/orders {2}Build: Building: BuildRun \S+ builds revision v1\.4\.2\.\n/),
    })
  })

  test('names the image of a claim that is well', async () => {
    const { exit, stdout } = await why({ history: [v2, v1] })
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: `✓ shop/orders  ready: Deployment of ${image('b')}; 1 of 1 pods ready, 0 restarts\n`,
    })
  })
})

describe('eds wait of a claim that is built', () => {
  const wait = (states: readonly State[]) => {
    const [first = {}, ...later] = states.map(clusterIn)
    return run(['wait', 'shop/orders'], first, later)
  }

  test('waits for the build, then for pods of its image', async () => {
    const { exit, stdout, stderr } = await wait([
      { ...old, run: running },
      { history: [v2, v1], podImage: image('a') },
      { history: [v2, v1] },
    ])
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: `✓ shop/orders  ready after 4s: Deployment of ${image('b')}; 1 of 1 pods ready, 0 restarts\n`,
    })
    expect(stderr).toMatch(
      /^0s {2}BuildReady is False, Building: .*\n2s {2}Pods: pod \S+ does not run registry\.example\.com\S+b{64} yet\n$/,
    )
  })

  test('ends at once if the build failed', async () => {
    const { exit, stdout } = await wait([broken])
    expect({ exit, stdout }).toEqual({
      exit: 1,
      stdout: expect.stringMatching(/^✗ shop\/orders {2}will not be ready: BuildReady is False, Failed: /),
    })
  })

  test('keeps waiting for a build that waits for quota', async () => {
    const { exit, stdout } = await wait([{ run: wanted => running(wanted, 'ExceededResourceQuota', 'exceeded quota: builds') }])
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: expect.stringMatching(/^✗ shop\/orders {2}not ready after 5m: /) })
  })
})
