// Follows a claim to the first cause of its state: its composite, its objects, its pods with their log, and its consumer.

import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject } from '../../kubernetes/json.ts'
import { isCurrentPod, isReadyPod } from '../../kubernetes/pod-troubles.ts'
import { type BuildReport, reportBuild } from '../build/report.ts'
import { type Api, nameOf } from '../doctor/api.ts'
import { type Check, type Queue, well } from '../doctor/check.ts'
import type { Named } from '../doctor/claims.ts'
import { consumerRow } from '../doctor/consumer.ts'
import { examine } from '../doctor/examine.ts'
import { streamRow } from '../doctor/nats.ts'
import type { ExaminedPods } from '../doctor/pods.ts'
import { checkObjects, examineComposite, followObjects, warningsOf } from './composed.ts'
import { readLog } from './log.ts'

export interface Investigation {
  readonly named: Named
  /** The first cause, with the command that fixes it; else the figures of a claim that is well. */
  readonly verdict: Check
  /** From the claim to its consumer. */
  readonly checks: readonly Check[]
  readonly pods: PodCounts | undefined
  readonly queue: Queue | undefined
}

export interface PodCounts {
  readonly total: number
  readonly ready: number
  readonly restarts: number
}

/** All rows, by what they are about. */
type Rows = Readonly<Record<Subject, readonly Check[]>>
type Subject = 'claim' | 'composite' | 'build' | 'objects' | 'cluster' | 'sources' | 'pods' | 'stream' | 'consumer'

export async function investigate(api: Api, named: Named, { logs }: { readonly logs: boolean }): Promise<Investigation> {
  const { examined, platform, pods, checks } = await examine(api, { named: [named], written: [] })
  const [{ claim, composite: document, isBlocked } = {}] = examined
  const composite = document && (await examineComposite(api, document))
  const root = composite === undefined ? document : composite.composite
  const mayHaveObjects = claim !== undefined && composite?.mayHaveObjects !== false
  const followed = mayHaveObjects && document ? await followObjects(api, { claim, document, composite: root, platform }) : undefined
  const objects = claim && followed ? checkObjects(claim, followed).checks : []
  const build = claim && followed && reportBuild(claim, followed)

  const own = claim ? [streamRow(claim), consumerRow(claim)] : []
  const rows: Rows = {
    claim: checks.claims.map(withoutAdvice),
    composite: composite ? [composite.check] : [],
    build: build ? [await withStepLog(api, named, build, logs)] : [],
    // The build has a row of its own.
    objects: objects.filter(({ name }) => build?.run === undefined || name !== `BuildRun ${nameOf(build.run)}`).map(withoutAdvice),
    cluster: [...checks.crossplane, ...checks.access, ...checks.products.filter(({ name }) => !own.includes(name))],
    sources: [...checks.sources, ...checks.priorities],
    pods: await Promise.all(pods.map(one => withLog(api, named, one, logs))),
    stream: checks.products.filter(({ name, queue }) => own.includes(name) && queue === undefined),
    consumer: checks.products.filter(({ queue }) => queue !== undefined).map(withFigures),
  }
  const cause = firstCause(rows, [...(isBlocked ? rows.claim : []), ...(composite?.isBlocked ? rows.composite : [])])
  const warnings = cause === undefined || root === undefined ? [] : await warningsOf(api, root)
  const counts = countsOf(pods)
  const queue = rows.consumer[0]?.queue
  return { named, verdict: verdictOf(named, cause, factsOf(claim, counts, queue)), checks: screenOf(rows, warnings), pods: counts, queue }
}

/** The claim advises to run this command. */
const withoutAdvice = (check: Check): Check => ({ ...check, message: check.message.replace(/ eds why \S+, or(?= )/, '') })

/** The first problem, causes before their consequences; without a problem, what the claim still waits for. */
function firstCause(rows: Rows, blocking: readonly Check[]): Check | undefined {
  const { claim, composite, build, objects, cluster, sources, pods, stream, consumer } = rows
  // No claim is ready while it builds.
  const others = build.some(({ state }) => state === 'unknown') ? [] : claim
  const problems = [blocking, cluster, build, stream, sources, pods, composite, objects, others, consumer].flat()
  const pending = [build, claim, objects, pods, composite, stream].flat()
  return problems.find(({ state }) => state === 'wrong') ?? pending.find(({ state }) => state === 'unknown')
}

/** From the claim to its consumer. The platform has rows only for problems; the warnings are those of the composite. */
function screenOf(
  { claim, composite, build, objects, cluster, sources, pods, stream, consumer }: Rows,
  warnings: readonly string[],
): Check[] {
  const [root] = composite.length > 0 ? composite : claim
  const problems = [...cluster, ...sources].filter(({ state }) => state === 'wrong')
  return [claim, composite, build, objects, problems, pods, stream, consumer]
    .flat()
    .map(check => (check === root && warnings.length > 0 ? { ...check, quotes: warnings } : check))
}

export const show = ({ namespace, name }: Named): string => `${namespace}/${name}`

/** Without the name of the claim, which is on top of the screen. */
export const shortRow = (row: string, named: Named): string => row.replace(` of ${show(named)}`, '').replace(` ${show(named)}`, '')

function verdictOf(named: Named, cause: Check | undefined, facts: string): Check {
  if (cause === undefined) return well(show(named), `ready: ${facts}`)
  const { state, message, fix } = cause
  const row = shortRow(cause.name, named)
  return { name: show(named), state, message: row === 'Claim' ? message : `${row}: ${message}`, ...(fix !== undefined && { fix }) }
}

/** The figures of a claim, as far as they are known. */
export function factsOf(claim: ResolvedClaim | undefined, pods: PodCounts | undefined, queue?: Queue): string {
  return [
    ...(claim ? [`${claim.runtime} of ${claim.image || 'an image that is not built yet'}`] : []),
    ...(pods === undefined ? [] : [pods.total === 0 ? 'no pods' : `${pods.ready} of ${pods.total} pods ready, ${showRestarts(pods)}`]),
    ...(queue === undefined ? [] : [showQueue(queue)]),
  ].join('; ')
}

const showRestarts = ({ restarts }: PodCounts) => `${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`

export const showQueue = ({ lag, waiting, inFlight, redelivered }: Queue): string =>
  `lag ${lag}: ${waiting} waiting, ${inFlight} in work${redelivered === 0 ? '' : ` (${redelivered} redelivered)`}`

/** Advice that depends on the program is for doctor. */
function withFigures(check: Check): Check {
  const { name, state, message, queue } = check
  if (queue === undefined) return check
  return state === 'wrong' ? { ...check, message: `${showQueue(queue)}; ${message}` } : { ...well(name, showQueue(queue)), queue }
}

export function countsOf([examined]: readonly ExaminedPods[]): PodCounts | undefined {
  const pods = examined?.pods?.filter(isCurrentPod)
  return (
    pods && { total: pods.length, ready: pods.filter(isReadyPod).length, restarts: pods.reduce((sum, pod) => sum + restartsOf(pod), 0) }
  )
}

const restartsOf = (pod: JsonObject) =>
  [...items(at(pod, 'status', 'initContainerStatuses')), ...items(at(pod, 'status', 'containerStatuses'))]
    .map(container => at(container, 'restartCount'))
    .reduce((sum: number, count) => sum + (typeof count === 'number' ? count : 0), 0)

async function withLog(api: Api, { namespace }: Named, examined: ExaminedPods, logs: boolean): Promise<Check> {
  const { check, troubles } = examined
  const counts = countsOf([examined])
  const message = counts === undefined || counts.restarts === 0 ? check.message : `${check.message} (${showRestarts(counts)})`
  const quotes = logs ? await readLog(api, namespace, troubles) : []
  return { ...check, message, ...(quotes.length > 0 && { quotes }) }
}

/** The last lines of the step that failed. */
async function withStepLog(api: Api, { namespace }: Named, { check, failedStep }: BuildReport, logs: boolean): Promise<Check> {
  const quotes = logs && failedStep ? await readLog(api, namespace, [{ ...failedStep, logs: 'current' }]) : []
  return { ...check, ...(quotes.length > 0 && { quotes }) }
}
