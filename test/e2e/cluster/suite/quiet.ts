// Tests that idle claims cause no changes and no events.
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { at } from '../../../../src/kubernetes/json.ts'
import type { Reference } from '../api.ts'
import { API_VERSION, type ClaimManifest, KIND } from '../claim.ts'
import { FUNCTION } from '../install.ts'
import { diff, inputOf, observedFile } from './diff.ts'
import type { Setting } from './setting.ts'

interface Snapshot {
  readonly generations: Readonly<Record<string, number>>
  readonly events: Readonly<Record<string, number>>
}

export interface Quiet {
  readonly claims: readonly ClaimManifest[]
  /** The names of claims that may change by themselves. */
  readonly asleep?: readonly string[]
  /** The kinds to watch besides those of every claim. */
  readonly kinds?: readonly Reference[]
  readonly seconds: number
  /** A file fills in no defaults: those of Knative's webhook would show, and a claim's Objects of provider-kubernetes are missing. */
  readonly isComparedWithFile?: boolean
}

const always: readonly Reference[] = [
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' },
  { apiVersion: API_VERSION, kind: KIND },
]
const REST_MS = 5_000
// KEDA repeats this warning about a setting without effect at each reconcile.
const KEDAS_ADVICE = 'KEDAScalerInfo'

async function snapshotOf({ cluster: { api } }: Setting, { claims, asleep = [], kinds = [] }: Quiet): Promise<Snapshot> {
  const isAwake = (name: unknown) => !asleep.some(claim => String(name).startsWith(claim))
  const all = [...always, ...kinds]
  const involved = new Set<unknown>([`X${KIND}`, ...all.map(({ kind }) => kind)])
  const generations: Record<string, number> = {}
  for (const { apiVersion, kind } of all)
    for (const { metadata } of await api.list({ apiVersion, kind })) {
      const { namespace, name, generation } = metadata as { namespace: string; name: string; generation?: number }
      if (isAwake(name) && claims.some(claim => claim.metadata.namespace === namespace))
        generations[`${kind} ${namespace}/${name}`] = generation ?? 0
    }
  const events: Record<string, number> = {}
  for (const event of await api.list({ apiVersion: 'v1', kind: 'Event' })) {
    if (!involved.has(at(event, 'involvedObject', 'kind')) || event.reason === KEDAS_ADVICE) continue
    if (!isAwake(at(event, 'involvedObject', 'name'))) continue
    const { involvedObject, reason, message, metadata } = event
    const key = `${at(involvedObject, 'kind')} ${at(involvedObject, 'name')} ${reason}: ${message} (${at(metadata, 'name')})`
    events[key] = Number(at(event, 'series', 'count') ?? event.count ?? 1)
  }
  return { generations, events }
}

/** Runs `between`, which must not change the claims, and waits for the rest of the time. */
export function staysQuiet(given: () => Setting, quiet: Quiet, between: () => void): void {
  let before: Snapshot | undefined
  let began = 0
  let calls = 0
  const callsSoFar = () => given().cluster.processes.log(FUNCTION).split('\n').length

  beforeAll(async () => {
    // Effects of becoming ready have ended by then.
    before = await given().cluster.until('nothing moves', async () => {
      const first = await snapshotOf(given(), quiet)
      await delay(REST_MS)
      const then = await snapshotOf(given(), quiet)
      expect(then).toEqual(first)
      return then
    })
    calls = callsSoFar()
    began = Date.now()
  })
  between()
  // The API server fills in defaults, webhooks change objects, and neither is a change.
  test.each([
    { place: 'the cluster', options: async () => [] },
    ...(quiet.isComparedWithFile
      ? [
          {
            place: 'a file',
            options: async () => ['--observed', await observedFile(given(), quiet.claims), '--input', await inputOf(given())],
          },
        ]
      : []),
  ])('eds diff says that nothing changes, against $place', async ({ options }) => {
    const names = quiet.claims.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    const said = await diff(given(), ...names, ...(await options()))
    expect(said.objects.filter(({ action }) => action !== 'none')).toEqual([])
    expect(said.exit).toBe(0)
  })
  test(`no generation changes and no event arrives or repeats for ${quiet.seconds} s`, async () => {
    await delay(Math.max(0, began + quiet.seconds * 1000 - Date.now()))
    const after = await snapshotOf(given(), quiet)
    expect(after.generations).toEqual(before?.generations)
    expect(after.events).toEqual(before?.events)
    const perMinute = ((callsSoFar() - calls) / (Date.now() - began)) * 60_000
    console.log(`${quiet.claims.length} claims at rest: the function was called ${perMinute.toFixed(0)} times a minute`)
  })
}
