// BuildRuns, as written by hand.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { observedCondition } from '../../../src/kubernetes/conditions.ts'
import { at, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import { type Reference, referenceTo } from '../cluster/api.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { DOCKERFILE } from './engine.ts'

const run = promisify(execFile)

export const SHIPWRIGHT_API = 'shipwright.io/v1beta1'

export interface Source {
  readonly url: string
  readonly revision: string
  readonly cloneSecret?: string
}

/** A BuildRun with the build in it; `build` overrides fields of it. */
export const buildRun = (namespace: string, name: string, { url, revision, cloneSecret }: Source, build: JsonObject = {}): JsonObject => ({
  apiVersion: SHIPWRIGHT_API,
  kind: 'BuildRun',
  metadata: { name, namespace },
  spec: {
    build: {
      spec: {
        source: { type: 'Git', git: { url, revision, ...(cloneSecret !== undefined && { cloneSecret }) } },
        strategy: { kind: 'ClusterBuildStrategy', name: DOCKERFILE },
        output: { image: `ghcr.io/${namespace}/${name}:latest`, timestamp: 'SourceTimestamp' },
        timeout: '5m',
        ...build,
      },
    },
  },
})

export interface Ended {
  readonly status: string
  readonly reason: string
  readonly message: string
  /** The finer reason and message. */
  readonly details: JsonObject
  readonly digest: string
  readonly commit: string
  readonly run: JsonObject
}

const endOf = (run: JsonObject): Ended | undefined => {
  const condition = observedCondition(run, 'Succeeded')
  if (condition === undefined || condition.status === 'Unknown') return undefined
  const { status } = run
  return {
    ...condition,
    details: (at(status, 'failureDetails') ?? {}) as JsonObject,
    digest: textOf(at(status, 'output', 'digest') ?? ''),
    commit: textOf(at(status, 'source', 'git', 'commitSha') ?? ''),
    run,
  }
}

/** Waits until the BuildRun has ended. */
export async function ended({ api, until }: Cluster, reference: Reference): Promise<Ended> {
  let last: unknown
  return until(`the end of ${reference.name}`, async () => {
    const run = await api.get(reference)
    last = at(run, 'status')
    return endOf(run)
  }).catch(error => {
    throw new Error(`${error instanceof Error ? error.message : error}; it has ${JSON.stringify(last)}`)
  })
}

/** Creates the BuildRun, and waits for its end. */
export async function build(cluster: Cluster, run: JsonObject): Promise<Ended> {
  await cluster.api.apply(run)
  return ended(cluster, referenceTo(run))
}

/** Waits until the BuildRun says this reason. */
export function says({ api, until }: Cluster, reference: Reference, reason: string): Promise<JsonObject> {
  return until(`${reference.name} says ${reason}`, async () => {
    const run = await api.get(reference)
    return observedCondition(run, 'Succeeded')?.reason === reason ? run : undefined
  })
}

/** The digest that the registry has for an image, such as `team/app:latest`. */
export async function digestIn({ programs, registry }: Cluster, image: string): Promise<string> {
  return (await run(programs.crane, ['digest', `${registry}/${image}`])).stdout.trim()
}
