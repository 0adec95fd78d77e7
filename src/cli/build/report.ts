// The builds of a claim, the image that it runs, and the commands for both, from the observed objects.
import { hashOf } from '../../capabilities/build/identity.ts'
import { build as capability } from '../../capabilities/build/index.ts'
import type { EventDrivenServiceStatus } from '../../claim/generated/types.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, type JsonObject, nonEmptyText, textOf } from '../../kubernetes/json.ts'
import { typeOf } from '../../reconcile/conditions.ts'
import { shell } from '../../text/shell-quote.ts'
import { nameOf } from '../doctor/api.ts'
import { type Check, unknown, well, wrong } from '../doctor/check.ts'
import type { Followed } from '../why/composed.ts'

type BuildStatus = NonNullable<EventDrivenServiceStatus['build']>
export type Finished = NonNullable<BuildStatus['history']>[number]

/** The container of a failed build that has the reason in its log. */
export interface Step {
  readonly pod: string
  readonly container: string
}

export interface BuildReport {
  /** The state of the build, with the command that shows its log if it failed. */
  readonly check: Check
  /** The BuildRun of the claim as it is now; undefined if its image was built before and the BuildRun is gone. */
  readonly run: JsonObject | undefined
  readonly failedStep: Step | undefined
  /** Whether it failed, so that nothing happens until somebody changes the claim or the branch. */
  readonly hasFailed: boolean
  readonly runs: BuildStatus | undefined
  /** The last one first. */
  readonly history: readonly Finished[]
}

const BUILD_ROW = 'Build'

/** Undefined for a claim without a build. */
export function reportBuild(claim: ResolvedClaim, { composition, found }: Followed): BuildReport | undefined {
  if (claim.build === undefined) return undefined
  const condition = composition.conditions.find(({ type }) => type === typeOf(capability.condition))
  // The previous failed build is kept as an object that only exists.
  const resource = composition.resources.find(({ manifest, readiness }) => manifest.kind === 'BuildRun' && readiness.reason !== 'Created')
  const object = found.find(({ reference }) => reference.kind === 'BuildRun' && reference.name === resource?.manifest.metadata.name)?.answer
  const run = object?.ok && isObject(object.body) ? object.body : undefined
  const { history = [], ...last } = composition.status.build ?? {}
  return {
    check: checkOf(condition, run, claim),
    run,
    failedStep: run && stepOf(run),
    hasFailed: run !== undefined && observedCondition(run, 'Succeeded')?.status === 'False',
    runs: last.image === undefined ? undefined : last,
    history,
  }
}

function checkOf(
  condition: Followed['composition']['conditions'][number] | undefined,
  run: JsonObject | undefined,
  claim: ResolvedClaim,
): Check {
  if (condition === undefined) return unknown(BUILD_ROW, 'the build has not begun')
  const { ready, reason, message, transient } = condition
  if (ready) return well(BUILD_ROW, message)
  const text = `${reason}: ${withoutLog(message)}`
  const log = run && showLog(run, claim)
  if (transient !== undefined) return unknown(BUILD_ROW, text, log)
  return wrong(
    BUILD_ROW,
    text,
    log ?? shell`kubectl -n ${claim.namespace} get gitrepositories,buildruns -l app.kubernetes.io/name=${claim.name}`,
  )
}

/** The command for the log is printed below the message. */
function withoutLog(message: string): string {
  const [text = '', log = ''] = message.split(' Log: ')
  const next = log.indexOf(' To build ')
  return next < 0 ? text : text + log.slice(next)
}

function stepOf(run: JsonObject): Step | undefined {
  const location = at(run, 'status', 'failureDetails', 'location')
  const [pod, container] = [nonEmptyText(at(location, 'pod')), nonEmptyText(at(location, 'container'))]
  return pod === undefined || container === undefined ? undefined : { pod, container }
}

/** The log of the step that failed, else of all steps; of a run that has no pods yet, its state. */
export function showLog(run: JsonObject, { namespace }: Pick<ResolvedClaim, 'namespace'>): string {
  const step = stepOf(run)
  if (nonEmptyText(at(run, 'status', 'executor', 'name')) === undefined && step === undefined)
    return shell`kubectl -n ${namespace} describe buildrun ${nameOf(run)}`
  return step === undefined
    ? shell`kubectl -n ${namespace} logs -l buildrun.shipwright.io/name=${nameOf(run)} --all-containers --tail=-1`
    : shell`kubectl -n ${namespace} logs ${step.pod} -c ${step.container}`
}

export const isRunning = (run: JsonObject | undefined): run is JsonObject =>
  run !== undefined && !['True', 'False'].includes(observedCondition(run, 'Succeeded')?.status ?? '')

const patchClaim = ({ namespace, name }: ResolvedClaim, build: JsonObject) =>
  shell`kubectl -n ${namespace} patch eventdrivenservice ${name} --type merge -p ${JSON.stringify({ spec: { build } })}`

/** A time was not used as an attempt before. */
export const buildAgain = (claim: ResolvedClaim, now: number): string =>
  patchClaim(claim, { attempt: new Date(now).toISOString().replace(/\D/g, '').slice(0, 14) })

export const cancel = (run: JsonObject, { namespace }: ResolvedClaim): string =>
  shell`kubectl -n ${namespace} patch buildrun ${nameOf(run)} --type merge -p ${JSON.stringify({ spec: { state: 'BuildRunCanceled' } })}`

export interface Rollback {
  readonly command: string
  readonly revision: string
  /** Whether the image has to be built again, because more than the revision of the claim has changed since. */
  readonly builds: boolean
}

/** The way back to the last image before the one that runs; undefined without one. */
export function rollBack(claim: ResolvedClaim, { runs, history }: BuildReport): Rollback | undefined {
  const { build } = claim
  const older = history.find(({ image, revision }) => image !== undefined && revision !== undefined && image !== runs?.image)
  if (build === undefined || older?.revision === undefined) return undefined
  const { revision } = older
  const isSame = (attempt: string | undefined) => {
    const { attempt: _, ...others } = build.asked
    const asked = attempt === undefined ? others : { ...others, attempt }
    return `${claim.name}-${hashOf({ ...build, asked }, revision)}` === older.name
  }
  const isKnown = isSame(build.asked.attempt)
  const isKnownWithoutAttempt = !isKnown && isSame(undefined)
  const command = patchClaim(claim, {
    git: { revision, ...(build.follow && { follow: false }) },
    ...(isKnownWithoutAttempt && { attempt: null }),
  })
  return { command, revision, builds: !isKnown && !isKnownWithoutAttempt }
}

/** Undefined while it runs. */
export function secondsOf({ startedAt, finishedAt }: Pick<Finished, 'startedAt' | 'finishedAt'>): number | undefined {
  const [from, to] = [Date.parse(startedAt ?? ''), Date.parse(finishedAt ?? '')]
  return Number.isNaN(from) || Number.isNaN(to) ? undefined : Math.max(0, Math.round((to - from) / 1000))
}

export const digestOf = (image: string | undefined): string | undefined => image?.split('@')[1]

export const revisionOf = (run: JsonObject): string => textOf(at(run, 'spec', 'build', 'spec', 'source', 'git', 'revision'))
