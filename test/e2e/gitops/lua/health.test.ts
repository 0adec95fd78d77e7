// Runs the health scripts of package/gitops in Argo CD's own Lua engine, over every state of a claim.
import { beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import { buildRunStates, claimStates } from '../../../fixtures/claim-states.ts'
import { healthScripts, judge, type Verdict } from '../scripts.ts'

const shapes = ['claim', 'composite', 'namespaced composite'] as const
const rows = claimStates.flatMap(({ says, health, objects }) =>
  objects.map((object, index) => ({ says, shape: shapes[index], health, object })),
)

let verdicts: readonly (Verdict | null)[] = []
beforeAll(async () => {
  verdicts = await judge([...rows, ...buildRunStates].map(({ object }) => object))
})

test('has more than forty states of a claim', () => expect(claimStates.length).toBeGreaterThan(40))

describe('health of claims', () => {
  test.each(rows.map((row, index) => ({ ...row, index })))('$shape: $says is $health', ({ index, health }) => {
    expect(verdicts[index]).toMatchObject({ status: health })
    expect(verdicts[index]?.message).not.toBe('')
  })
})

describe('health of builds', () => {
  test.each(buildRunStates.map((state, index) => ({ ...state, index })))('$says is $health', ({ index, health }) =>
    expect(verdicts[rows.length + index]).toMatchObject({ status: health }),
  )
})

test('names the condition and the cause of a claim that fails', () => {
  const index = rows.findIndex(({ says }) => says === 'a stream that does not exist')
  expect(verdicts[index]?.message).toMatch(/^ScalingReady: TriggerError: KEDA can't use ScaledObject orders-worker-scaler: /)
})

const failing = claimStates.find(({ says }) => says === 'a stream that does not exist')?.objects ?? []

test('without the scripts Argo CD judges no claim, so all of them look healthy', async () => {
  expect(await judge(failing, {})).toEqual([null, null, null])
})

describe('health of Applications', () => {
  const application = (syncPolicy: JsonObject | undefined, status?: JsonObject): JsonObject => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {},
    spec: { ...(syncPolicy && { syncPolicy }) },
    ...(status && { status }),
  })
  const automated = { automated: { selfHeal: true } }
  const statusOf = (health: string, sync: string, phase?: string): JsonObject => ({
    health: { status: health, message: `${health} by its own words` },
    sync: { status: sync },
    ...(phase && { operationState: { phase } }),
  })

  test.each<{ says: string; object: JsonObject; health: string; message?: string }>([
    { says: 'a new one', object: application(automated), health: 'Progressing' },
    { says: 'one without a spec', object: { ...application(undefined), spec: null }, health: 'Progressing' },
    { says: 'one that was never compared', object: application(automated, { health: {}, sync: {} }), health: 'Progressing' },
    { says: 'a synced one', object: application(automated, statusOf('Healthy', 'Synced', 'Succeeded')), health: 'Healthy' },
    {
      says: 'one between its own waves, while a sync operation runs',
      object: application(automated, statusOf('Healthy', 'Synced', 'Running')),
      health: 'Progressing',
      message: 'Not synced yet',
    },
    {
      says: 'one that somebody syncs by hand, while the operation runs',
      object: application(undefined, statusOf('Healthy', 'OutOfSync', 'Running')),
      health: 'Progressing',
      message: 'Not synced yet',
    },
    {
      says: 'an automated one that is not synced',
      object: application(automated, statusOf('Healthy', 'OutOfSync', 'Succeeded')),
      health: 'Progressing',
      message: 'Not synced yet',
    },
    {
      says: 'an automated one whose comparison failed',
      object: application(automated, statusOf('Healthy', 'Unknown', 'Succeeded')),
      health: 'Progressing',
      message: 'Not synced yet',
    },
    {
      says: 'one that waits for somebody to sync it by hand',
      object: application({ syncOptions: ['PruneLast=true'] }, statusOf('Healthy', 'OutOfSync', 'Succeeded')),
      health: 'Healthy',
    },
    { says: 'one with a missing object', object: application(undefined, statusOf('Missing', 'OutOfSync')), health: 'Missing' },
    {
      says: 'a failing one, although a sync operation runs',
      object: application(automated, statusOf('Degraded', 'OutOfSync', 'Running')),
      health: 'Degraded',
      message: 'Degraded by its own words',
    },
    { says: 'one whose claim is paused', object: application(automated, statusOf('Suspended', 'Synced')), health: 'Suspended' },
  ])('$says is $health', async ({ object, health, message }) => {
    const [verdict] = await judge([object])
    expect(verdict).toMatchObject({ status: health, ...(message !== undefined && { message }) })
  })

  test('Argo CD has no script for them', async () => expect(await judge([application(automated)], {})).toEqual([null]))
})

test('the claim and its composite have the same script', () => {
  const { 'platform.bizmatters.io/EventDrivenService': claim, 'platform.bizmatters.io/XEventDrivenService': composite } = healthScripts()
  expect(claim).toBeTruthy()
  expect(composite).toBe(claim)
})
