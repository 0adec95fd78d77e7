// How long a claim takes to each stage, as the API server tells it.
import { observedCondition } from '../../../src/kubernetes/conditions.ts'
import { at, items, type JsonObject } from '../../../src/kubernetes/json.ts'
import { API_VERSION, type ClaimManifest, KIND } from '../cluster/claim.ts'
import type { Cluster } from '../cluster/cluster.ts'

const NAMES = ['Deployment', 'pod', 'image pulled and started', 'pod ready', 'claim ready'] as const
export type Stage = (typeof NAMES)[number]
export type Seconds = Readonly<Record<Stage, number>>

const isTrue = (object: JsonObject, type: string) => observedCondition(object, type)?.status === 'True'
const isRunning = ({ status }: JsonObject) => {
  const containers = items(at(status, 'containerStatuses'))
  return containers.length > 0 && containers.every(container => at(container, 'state', 'running') !== undefined)
}

/** Applies the claim, and waits until it has passed all stages. */
export async function applyAndTime({ api, until }: Cluster, claim: ClaimManifest): Promise<Seconds> {
  const { name, namespace } = claim.metadata
  const began = Date.now()
  const passed: Partial<Record<Stage, number>> = {}
  const pass = (stage: Stage) => (passed[stage] ??= (Date.now() - began) / 1_000)
  const isOurs = (object: JsonObject) =>
    at(object, 'metadata', 'name') === name || at(object, 'metadata', 'labels', 'app.kubernetes.io/name') === name
  const watch = (apiVersion: string, kind: string, see: (object: JsonObject) => void) =>
    api.watch({ apiVersion, kind, namespace }, ({ object }) => {
      if (isOurs(object)) see(object)
    })
  const watches = [
    watch('apps/v1', 'Deployment', () => pass('Deployment')),
    watch('v1', 'Pod', pod => {
      pass('pod')
      if (isRunning(pod)) pass('image pulled and started')
      if (isTrue(pod, 'Ready')) pass('pod ready')
    }),
    watch(API_VERSION, KIND, object => {
      if (isTrue(object, 'Ready')) pass('claim ready')
    }),
  ]
  try {
    await api.apply(claim)
    await until(`${namespace}/${name} has passed all stages`, () => NAMES.every(stage => passed[stage] !== undefined))
  } finally {
    for (const { stop } of watches) stop()
  }
  return passed as Seconds
}

/** A table of some claims, as Markdown. */
export function stagesTable(rows: Readonly<Record<string, Seconds>>): string {
  const lines = Object.entries(rows).map(([what, seconds]) => `| ${[what, ...NAMES.map(stage => seconds[stage].toFixed(1))].join(' | ')} |`)
  return [`| seconds until | ${NAMES.join(' | ')} |`, `|${'---|'.repeat(NAMES.length + 1)}`, ...lines].join('\n')
}
