// The BuildRun of Shipwright. Its build is inline, because a Build of its own could be applied later than the run that uses it.

import type { Build, Builds, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, type JsonObject, nonEmptyText, textOf } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'
import { withFullStop } from '../../text/full-stop.ts'
import { shell } from '../../text/shell-quote.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { freeze } from '../freeze.ts'
import { exists, inProgress, notReady, type Readiness, ready } from '../readiness.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'

const KIND = { apiVersion: 'shipwright.io/v1beta1', kind: 'BuildRun' } as const

export const buildRunKind: KindInfo = {
  ...KIND,
  plural: 'buildruns',
  product: 'Shipwright',
  summarize: manifest => {
    const spec = at(manifest, 'spec', 'build', 'spec')
    return [
      [at(spec, 'source', 'git', 'url'), at(spec, 'source', 'git', 'revision')].map(part => scalar(part)).join('@'),
      scalar(at(spec, 'strategy', 'name')),
      `to ${scalar(at(spec, 'output', 'image'))}`,
    ]
  },
}

type Wanted = NonNullable<Builds['wanted']>
type Failed = NonNullable<Builds['failed']>

export const buildRun = (build: Build, wanted: Wanted): ComposedResource => ({
  key: wanted.key,
  build: claim => manifestOf(claim, build, wanted),
  ready: (observed, claim) => readinessOf(observed, claim),
})

/** A build that failed stays until a later one fails, because its log is gone with it. */
export const failedRun = ({ key, object }: Failed): ComposedResource => ({
  key,
  build: () => freeze(object, { freeze: { omit: () => ['state'] } }),
  ready: exists,
})

/** With the ServiceAccount `default`, Shipwright would add the secrets to that of the namespace's other pods. */
const GENERATED = '.generate'

function manifestOf(claim: ResolvedClaim, build: Build, { name, revision }: Wanted): Manifest {
  const { url, contextDir, cloneSecret, strategy, params, image, insecure, pushSecret, serviceAccount, platforms, timeout } = build
  return {
    ...KIND,
    metadata: metadata(claim, name),
    spec: {
      serviceAccount: serviceAccount ?? GENERATED,
      build: {
        spec: {
          source: {
            type: 'Git',
            git: { url, revision, ...(cloneSecret !== undefined && { cloneSecret }) },
            ...(contextDir !== undefined && { contextDir }),
          },
          strategy: { kind: 'ClusterBuildStrategy', name: strategy },
          ...(params.length > 0 && { paramValues: params.map(paramOf) }),
          output: {
            // A tag of its own, because registries delete images without one.
            image: `${image}:${name.slice(claim.name.length + 1)}`,
            ...(insecure && { insecure }),
            ...(pushSecret !== undefined && { pushSecret }),
            // The same commit gives the same digest, so a build that is repeated rolls nothing out.
            timestamp: 'SourceTimestamp',
            ...(platforms.length > 0 && { platforms: platforms.map(({ os, arch }) => ({ os, arch })) }),
          },
          timeout,
        },
      },
    },
  }
}

const paramOf = ({ name, value, values = [] }: Build['params'][number]): JsonObject =>
  value === undefined ? { name, values: values.map(one => ({ value: one })) } : { name, value }

const succeeded = (observed: JsonObject) => observedCondition(observed, 'Succeeded')

export const isFinished = (observed: JsonObject): boolean => ['True', 'False'].includes(succeeded(observed)?.status ?? '')

/** The image that a run has pushed, with its digest. */
export function imageOf(observed: JsonObject): string | undefined {
  const digest = nonEmptyText(at(observed, 'status', 'output', 'digest'))
  const image = nonEmptyText(at(observed, 'spec', 'build', 'spec', 'output', 'image'))
  if (succeeded(observed)?.status !== 'True' || digest === undefined || image === undefined) return undefined
  return `${image.replace(/:[^:/]*$/, '')}@${digest}`
}

/** Why a finished run failed, in one word; Built if it did not. */
export function reasonOf(observed: JsonObject): string {
  if (imageOf(observed) !== undefined) return BUILT
  if (succeeded(observed)?.status === 'True') return 'NoDigest'
  return failureOf(observed).reason
}

export const BUILT = 'Built'

function failureOf(observed: JsonObject): { readonly reason: string; readonly message: string } {
  const { reason = '', message = '' } = succeeded(observed) ?? {}
  const details = at(observed, 'status', 'failureDetails')
  return {
    reason: nonEmptyText(at(details, 'reason')) ?? (reason || 'Failed'),
    message: oneLine(nonEmptyText(at(details, 'message')) ?? failedStep(message, reason) ?? message),
  }
}

/** Git writes several lines, and its warnings come first. */
const oneLine = (text: string) =>
  text
    .split('\n')
    .filter(line => !line.startsWith('warning:'))
    .map(line => line.replaceAll(/\s+/g, ' ').trim())
    .join(' ')

/** Steps of Shipwright itself. */
const ownSteps: Readonly<Partial<Record<string, string>>> = {
  'source-default': 'reading the source',
  'image-processing': 'pushing the image',
}

/** Shipwright reports only the name of a step that left no message, with a command for the log. */
function failedStep(message: string, reason: string): string | undefined {
  const [, step] = /^buildrun step step-(\S+) failed/.exec(message) ?? []
  return step && `${ownSteps[step] ?? `step ${step}`} ${reason === 'StepOutOfMemory' ? 'ran out of memory' : 'failed'}`
}

function readinessOf(observed: JsonObject, claim: ResolvedClaim): Readiness {
  const name = textOf(at(observed, 'metadata', 'name'))
  if (!isFinished(observed)) return inProgress('Building', `${progressOf(observed)} ${logAdvice(observed, claim)}`)
  const image = imageOf(observed)
  const commit = nonEmptyText(at(observed, 'status', 'source', 'git', 'commitSha'))
  if (image !== undefined) return built(image, commit)
  if (succeeded(observed)?.status === 'True')
    return notReady(
      'NoDigest',
      `BuildRun ${name} succeeded, but its strategy reports no digest. Ask the platform team for another strategy.`,
    )
  const { reason, message } = failureOf(observed)
  const runs = claim.image === '' ? '' : ' The previous image keeps running.'
  return notReady(
    reason,
    `BuildRun ${name} failed: ${withFullStop(message)}${runs} ${logAdvice(observed, claim)} To build the same revision again, change spec.build.attempt.`,
  )
}

export const built = (image: string, commit: string | undefined): Readiness =>
  ready(BUILT, `Built ${image}${commit === undefined ? '' : ` from commit ${commit}`}.`)

function progressOf(observed: JsonObject): string {
  const name = textOf(at(observed, 'metadata', 'name'))
  const revision = textOf(at(observed, 'spec', 'build', 'spec', 'source', 'git', 'revision'))
  const { reason = '', message = '' } = succeeded(observed) ?? {}
  // Only a run that can't start has more to say than that it runs.
  const more = reason.startsWith('Exceeded') ? ` It waits: ${withFullStop(oneLine(message.replace(/^.* is forbidden: /, '')))}` : ''
  return `BuildRun ${name} builds revision ${revision}.${more}`
}

/** The log of the step that failed, else of all steps. */
function logAdvice(observed: JsonObject, { namespace }: ResolvedClaim): string {
  const location = at(observed, 'status', 'failureDetails', 'location')
  const [pod, container] = ['pod', 'container'].map(field => nonEmptyText(at(location, field)))
  if (pod !== undefined && container !== undefined) return `Log: ${shell`kubectl -n ${namespace} logs ${pod} -c ${container}`}`
  const label = `buildrun.shipwright.io/name=${textOf(at(observed, 'metadata', 'name'))}`
  return `Log: ${shell`kubectl -n ${namespace} logs -l ${label} --all-containers`}`
}
