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
    { says: 'of nothing there is none', parts: [], is: [] },
    {
      says: 'in the order in which people look',
      parts: [part('Eventing', true, 'Created'), part('Scaling', true, 'Ready'), part('Workload', true, 'Available')],
      is: ['WorkloadReady true Available', 'ScalingReady true Ready', 'EventingReady true Created'],
    },
    {
      says: 'the first that blocks tells',
      parts: [part('Workload', true, 'Available'), part('Workload', false, 'First'), part('Workload', false, 'Second')],
      is: ['WorkloadReady false First'],
    },
    {
      says: 'else the one that does more than be there',
      parts: [part('Workload', true, 'Created'), part('Workload', true, 'ScaledToZero'), part('Workload', true, 'Created')],
      is: ['WorkloadReady true ScaledToZero'],
    },
    {
      says: 'else that they are there',
      parts: [part('Eventing', true, 'Created'), part('Eventing', true, 'Created')],
      is: ['EventingReady true Created'],
    },
    {
      says: 'one does not block another',
      parts: [part('Workload', false, 'Unavailable'), part('Scaling', true, 'Ready')],
      is: ['WorkloadReady false Unavailable', 'ScalingReady true Ready'],
    },
  ])('$says', ({ parts, is }) => {
    expect(conditionsOf(parts).map(({ type, ready, reason }) => `${type} ${ready} ${reason}`)).toEqual(is)
    for (const { message, reason } of conditionsOf(parts)) expect(message).toBe(`${reason}!`)
  })
})

describe('a condition that applies no more', () => {
  const eventing = { triggers: [{ name: 'a' }] }
  const conditionOf = (loop: ControlLoop, type: string) => observedCondition(loop.composite, type)

  function living(spec: JsonObject): ControlLoop {
    const loop = new ControlLoop(claim(spec))
    loop.reconcile()
    loop.becomesReady(...loop.objects.keys())
    loop.reconcile()
    return loop
  }

  test('is said to be none, as Crossplane keeps what it was told last', () => {
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

  test('and is again after a claim that could not be read', () => {
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

  test('is not one whose resource can not be made for now', () => {
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

  test('was never said of a claim to which it never applied', () => {
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
    { says: 'that it is being made is none', composite: {}, condition: now(false, 'Creating'), news: false },
    { says: 'that it can’t be made is', composite: {}, condition: now(false, 'InvalidClaim'), news: true },
    { says: 'that it is ready at once is', composite: {}, condition: now(true, 'Available'), news: true },
    { says: 'that it became ready is', composite: told('False', 'Creating'), condition: now(true, 'Available'), news: true },
    { says: 'that it went down is', composite: told('True', 'Available'), condition: now(false, 'Unavailable'), news: true },
    { says: 'that it is still down is not', composite: told('False', 'Unavailable'), condition: now(false, 'Unavailable'), news: false },
    {
      says: 'that what is new has too few pods yet is none',
      composite: told('False', 'Creating'),
      condition: now(false, 'Unavailable'),
      news: false,
    },
    {
      says: 'that what is new waits for KEDA is none',
      composite: told('False', 'Creating'),
      condition: now(false, 'Waiting'),
      news: false,
    },
    {
      says: 'that a new revision is rolled out is none',
      composite: told('True', 'Ready'),
      condition: now(false, 'Deploying'),
      news: false,
    },
    ...['Creating', 'Waiting', 'Updating', 'RollingOut', 'Switching'].map(reason => ({
      says: `that a planned step, ${reason}, begins is none`,
      composite: told('True', 'Available'),
      condition: now(false, reason),
      news: false,
    })),
    {
      says: 'that a rollout is stuck is',
      composite: told('False', 'RollingOut'),
      condition: now(false, 'ProgressDeadlineExceeded'),
      news: true,
    },
    { says: 'nor is the first', composite: {}, condition: now(false, 'Deploying'), news: false },
    { says: 'that a revision fails is', composite: told('False', 'Deploying'), condition: now(false, 'RevisionFailed'), news: true },
    { says: 'that what is new fails is', composite: told('False', 'Creating'), condition: now(false, 'TriggerError'), news: true },
    {
      says: 'that what wakes from zero has too few pods yet is none',
      composite: told('True', 'ScaledToZero'),
      condition: now(false, 'Unavailable'),
      news: false,
    },
    {
      says: 'that it is down for another reason is',
      composite: told('False', 'Unavailable'),
      condition: now(false, 'FailedCreate'),
      news: true,
    },
    { says: 'that it scaled to zero is not', composite: told('True', 'Available'), condition: now(true, 'ScaledToZero'), news: false },
    { says: 'that it is what it was is not', composite: told('True', 'Available'), condition: now(true, 'Available'), news: false },
    { says: 'what was not known is', composite: told('Unknown', ''), condition: now(true, 'Available'), news: true },
    {
      says: 'conditions that are no list say nothing',
      composite: { status: { conditions: 'x' } },
      condition: now(true, 'Available'),
      news: true,
    },
  ])('$says', ({ composite, condition, news }) => expect(changedConditions(composite, [condition])).toEqual(news ? [condition] : []))

  test('each condition for itself', () => {
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

  test('of more than a message can hold says how many more', () => {
    const message = findingsMessage(Array.from({ length: 2000 }, (_, index) => finding(`f${index}`)))
    const shown = message.split('; ').length - 1
    expect(message.endsWith(`; and ${2000 - shown} more`)).toBe(true)
    expect(message.length).toBeGreaterThan(29_000)
    expect(message.length).toBeLessThan(32_768)
  })

  test('is a condition of the workload, which is what people wait for', () => {
    expect(refusedCondition('InvalidClaim', 'why')).toEqual({ type: 'WorkloadReady', ready: false, reason: 'InvalidClaim', message: 'why' })
  })
})
