// A claim says why its pods fail, and no claim waits for a Crossplane that may not read pods.
import type { RunFunctionRequest } from '@crossplane-org/function-sdk-typescript'
import { describe, expect, test } from 'vitest'
import { createForbiddenKinds } from '../../src/function/forbidden-kinds.ts'
import { sharingRunFunction } from '../../src/function/run-function.ts'
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { claim } from '../fixtures/claims.ts'
import { ControlLoop } from '../fixtures/control-loop.ts'
import { statesOf } from '../fixtures/pods.ts'
import { conditions } from '../fixtures/resolved-claim.ts'

const input = (podReasons: boolean): JsonObject => ({
  apiVersion: 'fn.platform.bizmatters.io/v1alpha1',
  kind: 'Input',
  features: { podReasons },
})

/** A process of the function with a clock, and claims whose new image can't be pulled. */
function processWith(names: readonly string[], { podReasons = true } = {}) {
  let time = 0
  let answer = sharingRunFunction(createForbiddenKinds(() => time))
  const asked: string[] = []
  const loops = names.map(name => {
    const loop = new ControlLoop(claim({}, { name }), (request: RunFunctionRequest) => {
      const response = answer({ ...request, input: input(podReasons) })
      asked.push(...Object.keys(response.requirements?.resources ?? {}).filter(key => key.startsWith('pods:')))
      return response
    })
    for (let call = 0; call < 3; call++) {
      loop.reconcile()
      loop.becomesReady(...loop.objects.keys())
    }
    return loop
  })
  return {
    loops,
    asked,
    restart: () => {
      answer = sharingRunFunction(createForbiddenKinds(() => time))
    },
    /** Calls for every claim once a minute, and returns how many calls failed. */
    run: (minutes: number): number => {
      let failures = 0
      for (let minute = 0; minute < minutes; minute++, time += 60_000)
        for (const loop of loops) {
          loop.reconcile()
          if (loop.error !== undefined) failures++
        }
      return failures
    },
  }
}

/** A new version whose only pod looks like this. */
function fails(loop: ControlLoop, pod: JsonObject | undefined): void {
  const name = String(loop.claim.metadata.name)
  const deployment = loop.objects.get('deployment')
  if (deployment === undefined) throw new Error('the Deployment does not exist')
  const generation = at(deployment, 'metadata', 'generation') ?? 1
  const message = `ReplicaSet "${name}-6d4cf56db6" is progressing.`
  loop.objects.set('deployment', {
    ...deployment,
    status: {
      observedGeneration: generation,
      replicas: 2,
      updatedReplicas: 1,
      unavailableReplicas: 1,
      conditions: conditions(['Available', 'True'], ['Progressing', 'True', '', message]),
    },
  })
  loop.others.length = 0
  const labels = { 'app.kubernetes.io/name': name, 'pod-template-hash': '6d4cf56db6' }
  if (pod) loop.others.push({ ...pod, apiVersion: 'v1', kind: 'Pod', metadata: { ...(pod.metadata as JsonObject), labels } })
}
const [pulling, backingOff] = statesOf('image-missing').map(({ pod }) => pod)
const [starting] = statesOf('crash').map(({ pod }) => pod)

const one = (options = {}) => {
  const { loops, ...rest } = processWith(['orders'], options)
  const [loop] = loops
  if (loop === undefined) throw new Error('no claim')
  return { loop, ...rest }
}

test('a ready claim asks for no pods', () => {
  const { loop, asked } = one()
  expect([loop.reconcile().ready, asked]).toEqual([true, []])
})

test('a rollout that fails is told in the second call, with one event, and the old image runs', () => {
  const { loop } = one()
  fails(loop, pulling)
  expect(loop.reconcile()).toMatchObject({ ready: false, reason: 'RollingOut', results: [] })
  const told = loop.reconcile()
  expect(told).toMatchObject({ ready: false, reason: 'ImagePullBackOff', results: [{ reason: 'ImagePullBackOff' }] })
  expect(told.message).toMatch(/^1 pod: ImagePullBackOff: image ghcr\.io\/acme\/nothing:1: not found\. Deployment orders is rolling out: /)
  expect(told.status).toMatchObject({ pods: [{ name: 'image-missing', reason: 'ImagePullBackOff' }] })
  fails(loop, backingOff)
  expect(loop.reconcile()).toMatchObject({ reason: 'ImagePullBackOff', message: told.message, results: [], secondsUntilNext: 60 })
  loop.becomesReady('deployment')
  const after = loop.reconcile()
  expect(after).toMatchObject({ ready: true, reason: 'Available' })
  expect(after.status).not.toHaveProperty('pods')
})

test('the pods are looked at again soon until one tells its cause, because Crossplane does not report a change of a pod', () => {
  const { loop } = one()
  fails(loop, starting)
  loop.reconcile()
  expect(loop.reconcile()).toMatchObject({ reason: 'RollingOut', secondsUntilNext: 10 })
})

test('without the switch no pod is asked for', () => {
  const { loop, asked } = one({ podReasons: false })
  fails(loop, pulling)
  loop.reconcile()
  expect(loop.reconcile()).toMatchObject({ reason: 'RollingOut', secondsUntilNext: 60 })
  expect(asked).toEqual([])
})

describe('while Crossplane may not read pods', () => {
  const failing = () => {
    const process = processWith(['orders', 'billing', 'search'])
    for (const loop of process.loops) {
      loop.unreadableKinds.add('Pod')
      fails(loop, pulling)
    }
    return process
  }
  const reasons = (loops: readonly ControlLoop[]) => loops.map(loop => loop.reconcile().reason)

  test('one claim waits for two minutes every ten minutes, and all of them say what their Deployments tell', () => {
    const { loops, run } = failing()
    expect(run(10)).toBe(1)
    expect(reasons(loops)).toEqual(['RollingOut', 'RollingOut', 'RollingOut'])
    const failures = run(100)
    expect([failures >= 8, failures <= 10]).toEqual([true, true])
  })

  test('a change of the claim is applied before the first question', () => {
    const { loop, asked } = one()
    loop.unreadableKinds.add('Pod')
    loop.claim = claim({ image: 'ghcr.io/acme/orders-worker:nope' }, { name: 'orders' })
    loop.reconcile()
    expect(JSON.stringify(loop.objects.get('deployment'))).toContain('orders-worker:nope')
    expect(asked).toEqual([])
  })

  test('a restarted process asks once and no more', () => {
    const { loops, run, restart } = failing()
    run(3)
    restart()
    expect(run(9)).toBe(1)
    expect(reasons(loops)).toEqual(['RollingOut', 'RollingOut', 'RollingOut'])
  })

  test('all claims tell the reason within eleven minutes after the role is granted', () => {
    const { loops, run } = failing()
    run(5)
    for (const loop of loops) loop.unreadableKinds.clear()
    expect(run(12)).toBe(0)
    expect(reasons(loops)).toEqual(['ImagePullBackOff', 'ImagePullBackOff', 'ImagePullBackOff'])
  })
})

test('a second process learns from an answer to the question of the first', () => {
  const kinds = createForbiddenKinds(() => 0)
  const evidence = { claim: 'a', read: [], asks: [], observed: () => [] }
  expect(kinds.learn({ ...evidence, forbidden: [{ kind: 'Pod.v1', source: 'remembered' }], usable: [] })).toBe('Pod.v1')
  expect(kinds.learn({ ...evidence, claim: 'b', forbidden: [], usable: ['Pod.v1'] })).toBeUndefined()
  expect(kinds.access.get('Pod.v1')).toBe(true)
})
