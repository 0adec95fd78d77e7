// The image that a claim with spec.build runs now, from its status and the observed builds alone.
import type { EventDrivenServiceStatus } from '../../claim/generated/types.ts'
import type { Build, Builds, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, type JsonObject, nonEmptyText, textOf } from '../../kubernetes/json.ts'
import type { FindObserved } from '../capability.ts'
import type { Readiness } from '../readiness.ts'
import { BUILT, built, imageOf, isFinished, reasonOf } from './build-run.ts'
import { followedCommit, GIT_REPOSITORY } from './git-repository.ts'
import { hashOf, runKey } from './identity.ts'

type BuildStatus = NonNullable<EventDrivenServiceStatus['build']>
type Finished = NonNullable<BuildStatus['history']>[number]
type Succeeded = Finished & { readonly image: string }

export interface BuiltImage {
  /** Undefined while the first build runs and nothing ran before it. */
  readonly image: string | undefined
  readonly commit?: string
  readonly builds: Builds
  readonly status: BuildStatus | undefined
  /** The state of a build that is known without its BuildRun. */
  readonly readiness?: Readiness
}

export interface ObservedRun {
  readonly key: string
  readonly object: JsonObject
}

/** The observed builds of a claim and its workload. */
export interface Seen {
  readonly findObserved: FindObserved
  readonly runs: readonly ObservedRun[]
  /** The status that the function wrote last. */
  readonly previous: BuildStatus | undefined
  /** The image of the workload. */
  readonly running: string | undefined
}

export function findImage(build: Build, { name }: Pick<ResolvedClaim, 'name'>, seen: Seen): BuiltImage {
  const { runs, previous, running } = seen
  const revision = build.follow ? followed(build, seen) : build.revision
  const wanted = revision === undefined ? undefined : identify(build, name, revision)
  const history = historyOf(runs, previous)
  const known = [previous, ...history].filter(hasImage)
  const asked = known.find(({ name }) => name === wanted?.name)
  const last = asked ?? known[0]
  const image = last?.image ?? running
  const isSeen = runs.some(({ key }) => key === wanted?.key)
  const failed = lastFailed(runs.filter(({ key }) => key !== wanted?.key))
  const status = statusOf(last, history)
  return {
    image,
    ...(last?.commit !== undefined && { commit: last.commit }),
    builds: {
      // A known image is not built again, but its BuildRun stays for its log.
      ...(wanted && { wanted: { ...wanted, isKnown: asked !== undefined && !isSeen } }),
      ...(failed && { failed }),
    },
    status,
    ...(asked !== undefined && !isSeen && { readiness: built(asked.image, asked.commit) }),
  }
}

/** A build that has started finishes first, because commits that come faster than builds would otherwise never be built. */
function followed(build: Build, { findObserved, runs }: Seen): string | undefined {
  const running = runs
    .filter(({ object }) => at(object, 'status', 'startTime') !== undefined && !isFinished(object))
    .map(({ key, object }) => ({ key, revision: textOf(at(object, ...REVISION)) }))
    .find(({ key, revision }) => key === runKey(hashOf(build, revision)))
  return running?.revision ?? followedCommit(findObserved(GIT_REPOSITORY), build)
}

const REVISION = ['spec', 'build', 'spec', 'source', 'git', 'revision'] as const

function identify(build: Build, claim: string, revision: string) {
  const hash = hashOf(build, revision)
  return { key: runKey(hash), name: `${claim}-${hash}`, revision }
}

const MOST_IN_HISTORY = 5

/** The last builds, also those whose BuildRun is gone. */
function historyOf(runs: readonly ObservedRun[], previous: BuildStatus | undefined): Finished[] {
  const seen = runs.filter(({ object }) => isFinished(object)).map(({ object }) => finishedOf(object))
  const before = (previous?.history ?? []).filter(({ name }) => !seen.some(one => one.name === name))
  return [...seen, ...before].sort(byEnd).slice(0, MOST_IN_HISTORY)
}

const byEnd = (a: Finished, b: Finished) => compare(b.finishedAt, a.finishedAt) || compare(a.name, b.name)
const compare = (a = '', b = '') => (a < b ? -1 : a > b ? 1 : 0)

function finishedOf(object: JsonObject): Finished {
  const optional = (field: string, ...path: string[]) => {
    const value = nonEmptyText(at(object, ...path))
    return value === undefined ? {} : { [field]: value }
  }
  const image = imageOf(object)
  return {
    name: textOf(at(object, 'metadata', 'name')),
    reason: reasonOf(object),
    ...(image !== undefined && { image }),
    ...optional('revision', ...REVISION),
    ...optional('commit', 'status', 'source', 'git', 'commitSha'),
    ...optional('startedAt', 'status', 'startTime'),
    ...optional('finishedAt', 'status', 'completionTime'),
  }
}

const hasImage = (finished: Finished | undefined): finished is Succeeded => finished?.image !== undefined

function lastFailed(runs: readonly ObservedRun[]): ObservedRun | undefined {
  const failed = runs.filter(({ object }) => isFinished(object) && reasonOf(object) !== BUILT)
  return failed.sort((a, b) => byEnd(finishedOf(a.object), finishedOf(b.object)))[0]
}

function statusOf(last: Succeeded | undefined, history: readonly Finished[]): BuildStatus | undefined {
  if (last === undefined && history.length === 0) return undefined
  const { reason: _, history: __, ...shown }: Partial<Finished & BuildStatus> = last ?? {}
  return { ...shown, ...(history.length > 0 && { history: [...history] }) }
}
