import { describe, expect, test } from 'vitest'
import type { Readiness } from '../../src/capabilities/readiness.ts'
import type { Finding } from '../../src/claim/findings.ts'
import { observedCondition } from '../../src/kubernetes/conditions.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import {
  type ClaimCondition,
  changedConditions,
  conditionsOf,
  findingsMessage,
  refusedCondition,
  retiredConditions,
} from '../../src/reconcile/conditions.ts'
import { claim } from '../fixtures/claims.ts'
import { ControlLoop } from '../fixtures/control-loop.ts'

const part = (condition: string, ready: boolean, reason: string): { condition: string; readiness: Readiness } => ({
  condition,
  readiness: { ready, reason, message: `${reason}!` },
})

describe('one condition for each capability', () => {
  test.each<{ says: string; parts: ReturnType<typeof part>[]; is: string[] }>([
    { says: 'no condition without resources', parts: [], is: [] },
    {
      says: 'workload before scaling before eventing',
      parts: [part('Eventing', true, 'Created'), part('Scaling', true, 'Ready'), part('Workload', true, 'Available')],
      is: ['WorkloadReady true Available', 'ScalingReady true Ready', 'EventingReady true Created'],
    },
    {
      says: 'the first resource that is not ready decides',
      parts: [part('Workload', true, 'Available'), part('Workload', false, 'First'), part('Workload', false, 'Second')],
      is: ['WorkloadReady false First'],
    },
    {
      says: 'otherwise the most specific reason',
      parts: [part('Workload', true, 'Created'), part('Workload', true, 'ScaledToZero'), part('Workload', true, 'Created')],
      is: ['WorkloadReady true ScaledToZero'],
    },
    {
      says: 'otherwise Created',
      parts: [part('Eventing', true, 'Created'), part('Eventing', true, 'Created')],
      is: ['EventingReady true Created'],
    },
    {
      says: 'one capability does not affect another',
      parts: [part('Workload', false, 'Unavailable'), part('Scaling', true, 'Ready')],
      is: ['WorkloadReady false Unavailable', 'ScalingReady true Ready'],
    },
  ])('$says', ({ parts, is }) => {
    expect(conditionsOf(parts).map(({ type, ready, reason }) => `${type} ${ready} ${reason}`)).toEqual(is)
    for (const { message, reason } of conditionsOf(parts)) expect(message).toBe(`${reason}!`)
  })
})

describe('a condition that no longer applies', () => {
  const eventing = { triggers: [{ name: 'a' }] }
  const conditionOf = (loop: ControlLoop, type: string) => observedCondition(loop.composite, type)

  function living(spec: JsonObject): ControlLoop {
    const loop = new ControlLoop(claim(spec))
    loop.reconcile()
    loop.becomesReady(...loop.objects.keys())
    loop.reconcile()
    return loop
  }

  test('is retired, because Crossplane keeps the last value', () => {
    const loop = living({ eventing: { ...eventing, broker: { class: 'One' } } })
    loop.claim = claim({ eventing: { ...eventing, broker: { class: 'Other' } } })
    loop.reconcile()
    expect(conditionOf(loop, 'EventingReady')).toMatchObject({ status: 'False', reason: 'Immutable' })
    loop.claim = claim()
    expect(loop.reconcile().results).toEqual([])
    expect(conditionOf(loop, 'EventingReady')).toMatchObject({ status: 'True', reason: 'NotApplicable' })
    expect(loop.reconcile().results).toEqual([])
    expect(conditionOf(loop, 'EventingReady')).toMatchObject({ status: 'True', reason: 'NotApplicable' })
    expect(conditionOf(loop, 'WorkloadReady')).toMatchObject({ status: 'True', reason: 'Available' })
  })

  test('is retired again after an invalid claim', () => {
    const loop = living({ eventing })
    loop.claim = claim()
    loop.reconcile()
    loop.claim = claim({ size: 'huge' })
    loop.reconcile()
    expect(conditionOf(loop, 'EventingReady')).toMatchObject({ status: 'Unknown' })
    loop.claim = claim()
    loop.reconcile()
    expect(conditionOf(loop, 'EventingReady')).toMatchObject({ status: 'True', reason: 'NotApplicable' })
  })

  test('applies again once it is asked for again, which is no warning and, once it is there, news', () => {
    const loop = living({ eventing })
    loop.claim = claim()
    loop.reconcile()
    loop.isGone('broker', 'trigger-a')
    loop.claim = claim({ eventing })
    expect(loop.reconcile().results).toEqual([])
    expect(conditionOf(loop, 'EventingReady')).toMatchObject({ status: 'False', reason: 'Creating' })
    loop.becomesReady('broker', 'trigger-a')
    expect(loop.reconcile().results.map(({ reason }) => reason)).toEqual(['Ready'])
  })

  test('is not retired while its resource cannot be created', () => {
    const loop = living({})
    loop.objects.delete('scaledobject')
    loop.others.push({
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'orders-worker-scaler', namespace: 'shop' },
    })
    loop.reconcile()
    expect(conditionOf(loop, 'WorkloadReady')).toMatchObject({ status: 'True', reason: 'Available' })
    expect(conditionOf(loop, 'ScalingReady')).toMatchObject({ status: 'False', reason: 'NameTaken' })
  })

  test('is never reported for a claim to which it never applied', () => {
    expect(conditionOf(living({}), 'EventingReady')).toBeUndefined()
  })
})

test('only conditions that no longer apply are retired', () => {
  const composite = { status: { conditions: ['WorkloadReady', 'EventingReady'].map(type => ({ type, status: 'True', reason: 'Ready' })) } }
  const workload: ClaimCondition = { type: 'WorkloadReady', ready: true, reason: 'Available', message: '' }
  expect(retiredConditions(composite, [workload]).map(({ type, reason }) => [type, reason])).toEqual([['EventingReady', 'NotApplicable']])
})

describe('news', () => {
  const passes: Readonly<Record<string, 'always' | 'at-first'>> = {
    Unavailable: 'at-first',
    ...Object.fromEntries(['Creating', 'Deploying', 'RollingOut', 'Switching', 'Updating', 'Waiting'].map(reason => [reason, 'always'])),
  }
  const now = (ready: boolean, reason: string): ClaimCondition => {
    const transient = passes[reason]
    return { type: 'WorkloadReady', ready, reason, message: 'now', ...(transient && { transient }) }
  }
  const told = (status: string, reason: string) => ({
    status: { conditions: [{ type: 'WorkloadReady', status, reason, message: 'before' }] },
  })

  test.each([
    { says: 'none while a resource is being created', composite: {}, condition: now(false, 'Creating'), news: false },
    { says: 'when a claim is invalid', composite: {}, condition: now(false, 'InvalidClaim'), news: true },
    { says: 'when a new claim is ready at once', composite: {}, condition: now(true, 'Available'), news: true },
    { says: 'when it becomes ready', composite: told('False', 'Creating'), condition: now(true, 'Available'), news: true },
    { says: 'when it becomes unavailable', composite: told('True', 'Available'), condition: now(false, 'Unavailable'), news: true },
    { says: 'none while it stays unavailable', composite: told('False', 'Unavailable'), condition: now(false, 'Unavailable'), news: false },
    {
      says: 'none while a new Deployment has too few pods',
      composite: told('False', 'Creating'),
      condition: now(false, 'Unavailable'),
      news: false,
    },
    {
      says: 'none while a new ScaledObject waits for KEDA',
      composite: told('False', 'Creating'),
      condition: now(false, 'Waiting'),
      news: false,
    },
    {
      says: 'none while a new revision rolls out',
      composite: told('True', 'Ready'),
      condition: now(false, 'Deploying'),
      news: false,
    },
    ...['Creating', 'Waiting', 'Updating', 'RollingOut', 'Switching'].map(reason => ({
      says: `none when the planned step ${reason} starts`,
      composite: told('True', 'Available'),
      condition: now(false, reason),
      news: false,
    })),
    {
      says: 'when a rollout is stuck',
      composite: told('False', 'RollingOut'),
      condition: now(false, 'ProgressDeadlineExceeded'),
      news: true,
    },
    { says: 'none for the first rollout', composite: {}, condition: now(false, 'Deploying'), news: false },
    { says: 'when a revision fails', composite: told('False', 'Deploying'), condition: now(false, 'RevisionFailed'), news: true },
    { says: 'when a new resource fails', composite: told('False', 'Creating'), condition: now(false, 'TriggerError'), news: true },
    {
      says: 'none while too few pods run after a scale-up from zero',
      composite: told('True', 'ScaledToZero'),
      condition: now(false, 'Unavailable'),
      news: false,
    },
    {
      says: 'when the reason changes',
      composite: told('False', 'Unavailable'),
      condition: now(false, 'FailedCreate'),
      news: true,
    },
    { says: 'none when it scales to zero', composite: told('True', 'Available'), condition: now(true, 'ScaledToZero'), news: false },
    { says: 'none while nothing changes', composite: told('True', 'Available'), condition: now(true, 'Available'), news: false },
    { says: 'when the previous status was unknown', composite: told('Unknown', ''), condition: now(true, 'Available'), news: true },
    {
      says: 'ignores conditions that are not a list',
      composite: { status: { conditions: 'x' } },
      condition: now(true, 'Available'),
      news: true,
    },
  ])('$says', ({ composite, condition, news }) => expect(changedConditions(composite, [condition])).toEqual(news ? [condition] : []))

  test('each condition has its own event', () => {
    const scaling: ClaimCondition = { type: 'ScalingReady', ready: false, reason: 'TriggerError', message: '' }
    expect(changedConditions(told('True', 'Available'), [now(true, 'Available'), scaling])).toEqual([scaling])
  })
})

describe('a refusal', () => {
  const finding = (name: string): Finding => ({ code: 'UNKNOWN_FIELD', path: ['spec', name], problem: 'unknown field' })

  test.each<{ says: string; findings: Finding[]; is: string }>([
    { says: 'one finding', findings: [finding('a')], is: 'spec.a: unknown field [UNKNOWN_FIELD]' },
    {
      says: 'two',
      findings: [finding('a'), finding('b')],
      is: 'spec.a: unknown field [UNKNOWN_FIELD]; spec.b: unknown field [UNKNOWN_FIELD]',
    },
  ])('$says', ({ findings, is }) => expect(findingsMessage(findings)).toBe(is))

  test('of too many findings says how many are omitted', () => {
    const message = findingsMessage(Array.from({ length: 2000 }, (_, index) => finding(`f${index}`)))
    const shown = message.split('; ').length - 1
    expect(message.endsWith(`; and ${2000 - shown} more`)).toBe(true)
    expect(message.length).toBeGreaterThan(29_000)
    expect(message.length).toBeLessThan(32_768)
  })

  test('is a condition of the workload', () => {
    expect(refusedCondition('InvalidClaim', 'why')).toEqual({ type: 'WorkloadReady', ready: false, reason: 'InvalidClaim', message: 'why' })
  })
})
