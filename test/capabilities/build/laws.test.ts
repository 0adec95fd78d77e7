// Laws of builds, over any order of new revisions, results and lost states.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { buildClaim, composeBuild, digest, failed, git, imageOf, running, succeeded } from '../../fixtures/build.ts'

type Step = { readonly asks: number } | 'starts' | 'succeeds' | 'fails' | 'status is lost' | 'BuildRun is deleted'

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ asks: fc.integer({ min: 1, max: 7 }) }) },
    {
      weight: 6,
      arbitrary: fc.constantFrom('starts' as const, 'succeeds' as const, 'fails' as const),
    },
    { weight: 1, arbitrary: fc.constantFrom('status is lost' as const, 'BuildRun is deleted' as const) },
  ),
  { maxLength: 40 },
)

const claims = new Map([1, 2, 3, 4, 5, 6, 7].map(number => [number, buildClaim({ git: { ...git, revision: `v${number}` } })]))
const letters = '0123456789abcdef'
/** Each revision has a digest of its own, as with timestamps of the source. */
const letterOf = (number: number) => letters[number] ?? '0'
const isRun = (key: string) => key.startsWith('buildrun-')

/** A cluster with one claim: Crossplane applies what the function wants, and Shipwright reports what the step says. */
function* play(all: readonly Step[]) {
  let asked = 1
  let status: JsonObject = {}
  let time = 0
  let objects: Record<string, JsonObject> = {}
  for (const step of [{ asks: 1 } as Step, ...all]) {
    const before = { image: objects.deployment === undefined ? undefined : image(objects.deployment) }
    if (typeof step === 'object') asked = step.asks
    if (step === 'status is lost') status = {}
    if (step === 'BuildRun is deleted') objects = Object.fromEntries(Object.entries(objects).filter(([key]) => !isRun(key)))
    if (step === 'starts' || step === 'succeeds' || step === 'fails')
      for (const [key, object] of Object.entries(objects)) {
        if (!isRun(key) || ((object.status as JsonObject | undefined)?.completionTime ?? '') !== '') continue
        const number = Number(/v(\d)/.exec(JSON.stringify(object.spec))?.[1])
        const finishedAt = `2026-11-28T08:00:${String(time++).padStart(4, '0')}Z`
        objects[key] =
          step === 'starts'
            ? running(object)
            : step === 'succeeds'
              ? succeeded(object, letterOf(number), finishedAt)
              : failed(object, 'Failed', 'no', { completionTime: finishedAt })
      }
    const composition = composeBuild(claims.get(asked) ?? buildClaim(), objects, status)
    status = { build: composition.status.build } as unknown as JsonObject
    objects = Object.fromEntries(composition.resources.map(({ key, desired }) => [key, { ...desired, ...statusOf(objects[key]) }]))
    yield { asked, step, before, composition, objects }
  }
}

const statusOf = (object: JsonObject | undefined) => (object?.status === undefined ? {} : { status: object.status })
const image = (deployment: JsonObject): unknown =>
  (deployment as { spec: { template: { spec: { containers: { image: string }[] } } } }).spec.template.spec.containers[0]?.image

test('law: a workload that runs never loses its image, and takes another one only from a build that succeeded', () => {
  fc.assert(
    fc.property(steps, all => {
      const good = new Set<unknown>()
      for (const { before, composition, objects } of play(all)) {
        for (const [key, object] of Object.entries(objects))
          if (isRun(key)) {
            const found = (object.status as { output?: { digest: string } } | undefined)?.output?.digest
            if (found !== undefined) good.add(found)
          }
        const now = imageOf(composition)
        if (before.image !== undefined) expect(now).toBeDefined()
        if (now !== undefined) expect(good).toContain(String(now).split('@')[1])
      }
    }),
  )
})

test('law: at most two BuildRuns exist, and one of them at most is not finished', () => {
  fc.assert(
    fc.property(steps, all => {
      for (const { objects } of play(all)) {
        const runs = Object.entries(objects).filter(([key]) => isRun(key))
        expect(runs.length).toBeLessThanOrEqual(2)
        const open = runs.filter(([, object]) => (object.status as JsonObject | undefined)?.completionTime === undefined)
        expect(open.length).toBeLessThanOrEqual(1)
      }
    }),
  )
})

test('law: once the build that the claim asks for succeeds, the workload runs it', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 7 }), (all, last) => {
      const states = [...play([...all, { asks: last }, 'succeeds', { asks: last }])]
      const final = states.at(-1)
      const { conditions } = final?.composition ?? { conditions: [] }
      const state = conditions.find(({ type }) => type === 'BuildReady')
      // A build that failed before stays failed until somebody asks for another attempt.
      if (state?.reason === 'Failed') return
      expect(state?.reason).toBe('Built')
      expect(String(final && imageOf(final.composition))).toContain(digest(letterOf(last)))
    }),
  )
})
