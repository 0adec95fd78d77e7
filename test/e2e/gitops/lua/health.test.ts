// Runs the health scripts of package/gitops in Argo CD's own Lua engine, over every state of a claim.
import { beforeAll, describe, expect, test } from 'vitest'
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

test('health of Applications, for which Argo CD has no script', async () => {
  const application = (status?: object) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {},
    ...(status && { status }),
  })
  const objects = [application(), application({ health: { status: 'Degraded' } }), application({ health: { status: 'Healthy' } })]
  expect((await judge(objects as never)).map(verdict => verdict?.status)).toEqual(['Progressing', 'Degraded', 'Healthy'])
  expect(await judge(objects.slice(0, 1) as never, {})).toEqual([null])
})

test('the claim and its composite have the same script', () => {
  const { 'platform.bizmatters.io/EventDrivenService': claim, 'platform.bizmatters.io/XEventDrivenService': composite } = healthScripts()
  expect(claim).toBeTruthy()
  expect(composite).toBe(claim)
})
