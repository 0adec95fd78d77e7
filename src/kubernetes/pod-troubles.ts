// Finds out from a pod's own status why it does not run. The words stay the same while the kubelet alternates between the states of
// one problem (ErrImagePull and ImagePullBackOff, Error and CrashLoopBackOff), so that a condition made of them does not flap.

import { observedCondition } from './conditions.ts'
import { at, isObject, items, type Json, type JsonObject, nonEmptyText, textOf } from './json.ts'
import { isBeingDeleted } from './objects.ts'

export interface PodTrouble {
  readonly pod: string
  /** One for all states of a problem, such as `ImagePullBackOff`. */
  readonly reason: string
  /** Has no counts, times, addresses or ids, which change while the problem stays. */
  readonly message: string
  /** Since when the pod has had a problem, by its own status. */
  readonly since?: string
  /** Whether every starting pod looks like this for a while. */
  readonly mayPass?: boolean
  readonly container?: string
  /** Which logs of the container show more. */
  readonly logs?: 'current' | 'previous'
  /** The probe that does not succeed. */
  readonly probe?: 'startup' | 'readiness'
}

/** Pods with the same problem. */
export interface TroubleGroup {
  readonly reason: string
  readonly message: string
  readonly mayPass: boolean
  /** Their names, sorted. */
  readonly pods: readonly string[]
}

/** A pod that has ended or is terminating has a successor, which shows any remaining problem. */
export const isCurrentPod = (pod: JsonObject): boolean =>
  !isBeingDeleted(pod) && !['Failed', 'Succeeded'].includes(textOf(at(pod, 'status', 'phase')))

export const isReadyPod = (pod: JsonObject): boolean => observedCondition(pod, 'Ready')?.status === 'True'

/** The first problem of a pod: it has no node, or a container does not run. Undefined if it is ready, or has told no problem yet. */
export function troubleOfPod(pod: JsonObject): PodTrouble | undefined {
  if (isReadyPod(pod)) return undefined
  const told = troubleOfScheduling(pod) ?? troubleOfContainers(pod) ?? troubleOfVolumes(pod) ?? troubleOfProbe(pod)
  if (told === undefined) return undefined
  const since = sinceOf(pod)
  return { pod: textOf(at(pod, 'metadata', 'name')), ...told, ...(since !== undefined && { since }) }
}

// The order decides which problem of several is named first. It must not depend on counts, which change while pods restart.
const ORDER: readonly string[] = [
  'InvalidImageName',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'OOMKilled',
  'CrashLoopBackOff',
  'Unschedulable',
]

/** Each problem once: a claim may have a thousand pods with the same one. */
export function groupTroubles(troubles: readonly PodTrouble[]): TroubleGroup[] {
  const groups = new Map<string, { reason: string; message: string; mayPass: boolean; pods: string[] }>()
  for (const { pod, reason, message, mayPass = false } of troubles) {
    const key = `${reason}: ${message}`
    const group = groups.get(key) ?? { reason, message, mayPass, pods: [] }
    group.pods.push(pod)
    groups.set(key, group)
  }
  for (const { pods } of groups.values()) pods.sort()
  return [...groups.values()].sort(
    (a, b) => Number(a.mayPass) - Number(b.mayPass) || rank(a) - rank(b) || (a.reason + a.message < b.reason + b.message ? -1 : 1),
  )
}

const rank = ({ reason }: TroubleGroup) => (ORDER.includes(reason) ? ORDER.indexOf(reason) : ORDER.length)

type Told = Omit<PodTrouble, 'pod' | 'since'>

/** The time of the condition that reports the problem: it does not change while containers restart. */
function sinceOf(pod: JsonObject): string | undefined {
  const conditions = items(at(pod, 'status', 'conditions')).filter(isObject)
  const failed = (type: string) => conditions.find(one => one.type === type && one.status === 'False')
  return nonEmptyText(at(failed('PodScheduled') ?? failed('Ready'), 'lastTransitionTime') ?? at(pod, 'metadata', 'creationTimestamp'))
}

function troubleOfScheduling(pod: JsonObject): Told | undefined {
  const scheduled = observedCondition(pod, 'PodScheduled')
  if (scheduled?.status !== 'False') return undefined
  return { reason: scheduled.reason || 'Unschedulable', message: schedulerWords(scheduled.message) }
}

/** Without the numbers of nodes, which change and by which the scheduler sorts its reasons. */
function schedulerWords(message: string): string {
  const [, reasons] = /^0\/\d+ nodes are available: (.*?)\.?(?: no new claims to deallocate\b.*| preemption: .*)?$/s.exec(message) ?? []
  if (reasons === undefined) return stable(message)
  const words = reasons.split(/, (?=\d+ )/).map(reason => reason.replace(/^\d+ /, ''))
  return stable(`no node fits: ${[...new Set(words)].sort().join(', ')}`)
}

interface Container {
  readonly name: string
  readonly status: JsonObject
  readonly spec: JsonObject
  readonly isInit: boolean
}

const containersOf = (pod: JsonObject): Container[] => [...containersIn(pod, 'initContainer'), ...containersIn(pod, 'container')]

function containersIn(pod: JsonObject, list: 'initContainer' | 'container'): Container[] {
  const specs = items(at(pod, 'spec', `${list}s`)).filter(isObject)
  return items(at(pod, 'status', `${list}Statuses`))
    .filter(isObject)
    .map(status => ({
      name: textOf(status.name),
      status,
      spec: specs.find(({ name }) => name === status.name) ?? {},
      isInit: list === 'initContainer',
    }))
}

function troubleOfContainers(pod: JsonObject): Told | undefined {
  for (const container of containersOf(pod)) {
    const trouble = troubleOfContainer(container)
    if (trouble !== undefined) return trouble
  }
  return undefined
}

/** The reasons for which every starting container waits. */
const STARTING: readonly unknown[] = ['ContainerCreating', 'PodInitializing']
const PULL_REASONS: readonly unknown[] = ['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'SignatureValidationFailed']
/** The reasons of a container whose program did not start. */
const NOT_STARTED: readonly unknown[] = ['RunContainerError', 'StartError', 'ContainerCannotRun']

function troubleOfContainer(container: Container): Told | undefined {
  const { name, status, isInit } = container
  const waiting = at(status, 'state', 'waiting')
  const ended = at(status, 'state', 'terminated') ?? at(status, 'lastState', 'terminated')
  if (isObject(waiting)) {
    const { reason } = waiting
    const words = nonEmptyText(waiting.message) ?? ''
    if (STARTING.includes(reason)) return undefined
    if (PULL_REASONS.includes(reason)) return { reason: 'ImagePullBackOff', message: imageProblem(container, words, registryWords) }
    if (reason === 'InvalidImageName') return { reason, message: imageProblem(container, words, nameWords) }
    if (reason === 'RunContainerError') return notStarted(container, words)
    if (reason !== 'CrashLoopBackOff') return { reason: nonEmptyText(reason) ?? 'Waiting', message: stable(words), container: name }
  }
  if (!isObject(ended)) return isObject(waiting) ? crashed(container, undefined) : undefined
  // An init container ends when it is done.
  if (isInit && ended.exitCode === 0 && !isObject(waiting)) return undefined
  // A container that is ready again has recovered, even if another one keeps the pod from being ready.
  if (at(status, 'state', 'running') !== undefined && status.ready === true) return undefined
  if (NOT_STARTED.includes(ended.reason)) return notStarted(container, nonEmptyText(ended.message) ?? '')
  return crashed(container, ended)
}

const title = ({ name, isInit }: Container) => `${isInit ? 'init container' : 'container'} ${name}`

function notStarted(container: Container, words: string): Told {
  const cause = stable(
    words
      .replace(/^.*(?:unable to start container process|starting container process caused): /s, '')
      .replace(/^(?:failed to (?:create|start) [\w ]+: |OCI runtime \w+ failed: |runc \w+ failed: )+/, '')
      .replace(/: unknown$/, ''),
  )
  const isMissing = /no such file or directory|executable file not found/.test(cause)
  const problem = `${title(container)} can't start${isMissing ? ', command not found' : ''}`
  return { reason: 'RunContainerError', message: cause === '' ? problem : `${problem}: ${cause}`, container: container.name }
}

/** SIGKILL and SIGTERM, which also end a container whose liveness probe fails. A program may answer SIGTERM with 0. */
const STOPPED: readonly unknown[] = [0, 137, 143]

/** Omits the termination message because a program may write secrets into it. */
function crashed(container: Container, ended: JsonObject | undefined): Told {
  const { name, status, spec } = container
  const isRunning = at(status, 'state', 'running') !== undefined || at(status, 'state', 'waiting') !== undefined
  const told = { container: name, logs: isRunning ? 'previous' : 'current' } as const
  if (ended === undefined) return { reason: 'CrashLoopBackOff', message: `${title(container)} ends again and again`, ...told }
  if (ended.reason === 'OOMKilled') {
    const limit = at(spec, 'resources', 'limits', 'memory')
    const more = limit === undefined ? 'than the node has' : `than its limit of ${textOf(limit)}`
    return { reason: 'OOMKilled', message: `${title(container)} needs more memory ${more}`, ...told }
  }
  const liveness = STOPPED.includes(ended.exitCode) ? describeProbe(spec, 'livenessProbe') : undefined
  const perhaps = liveness === undefined ? '' : `, perhaps because its liveness probe failed: ${liveness}`
  return { reason: 'CrashLoopBackOff', message: `${title(container)} ended with exit code ${textOf(ended.exitCode)}${perhaps}`, ...told }
}

/** No container exists yet. Only an event tells which volume is missing, so the message names what the pod mounts. */
function troubleOfVolumes(pod: JsonObject): Told | undefined {
  if (observedCondition(pod, 'PodReadyToStartContainers')?.status !== 'False') return undefined
  const mounted = items(at(pod, 'spec', 'volumes')).flatMap(mountedBy)
  const message = 'its containers are not created, because a volume or the network is not ready'
  const names = mounted.length === 0 ? '' : `; it mounts ${[...new Set(mounted)].join(', ')}`
  return { reason: 'ContainerCreating', message: message + names, mayPass: true }
}

function mountedBy(volume: Json): string[] {
  const named = (kind: string, source: Json | undefined, field: string) => {
    const name = nonEmptyText(at(source, field))
    return name === undefined || at(source, 'optional') === true || name === 'kube-root-ca.crt' ? [] : [`${kind} ${name}`]
  }
  return [
    ...named('Secret', at(volume, 'secret'), 'secretName'),
    ...named('ConfigMap', at(volume, 'configMap'), 'name'),
    ...named('PersistentVolumeClaim', at(volume, 'persistentVolumeClaim'), 'claimName'),
    ...items(at(volume, 'projected', 'sources')).flatMap(source => [
      ...named('Secret', at(source, 'secret'), 'name'),
      ...named('ConfigMap', at(source, 'configMap'), 'name'),
    ]),
  ]
}

/** A container runs and is not ready. Only an event tells how its probe failed. */
function troubleOfProbe(pod: JsonObject): Told | undefined {
  const container = containersIn(pod, 'container').find(({ status }) => status.ready !== true)
  const running = at(container?.status, 'state', 'running')
  if (container === undefined || running === undefined) return undefined
  const probe = container.status.started === false && container.spec.startupProbe !== undefined ? 'startup' : 'readiness'
  const does = describeProbe(container.spec, `${probe}Probe`)
  if (does === undefined) return undefined
  const message = `the ${probe} probe of ${title(container)} does not succeed: ${does}`
  return { reason: 'Unhealthy', message, container: container.name, probe, ...(!wasReady(pod, running) && { mayPass: true }) }
}

/** Whether the pod was ready after its container started. */
function wasReady(pod: JsonObject, running: Json): boolean {
  const ready = items(at(pod, 'status', 'conditions')).find(one => at(one, 'type') === 'ContainersReady')
  const [changed, started] = [nonEmptyText(at(ready, 'lastTransitionTime')), nonEmptyText(at(running, 'startedAt'))]
  return changed !== undefined && started !== undefined && changed > started
}

function describeProbe(spec: JsonObject, name: string): string | undefined {
  const probe = spec[name]
  const http = at(probe, 'httpGet')
  if (http !== undefined) return `GET ${textOf(at(http, 'path') ?? '/')} on port ${portOf(at(http, 'port'), spec)}`
  const port = at(probe, 'tcpSocket', 'port') ?? at(probe, 'grpc', 'port')
  if (port !== undefined) return `a connection to port ${portOf(port, spec)}`
  return at(probe, 'exec') === undefined ? undefined : 'its command'
}

const portOf = (port: Json | undefined, spec: JsonObject): string =>
  textOf(
    at(
      items(spec.ports).find(one => at(one, 'name') === port && port !== undefined),
      'containerPort',
    ) ?? port,
  )

function imageProblem({ status, spec }: Container, message: string, wordsOf: (message: string, image: string) => string): string {
  const image = nonEmptyText(spec.image) ?? nonEmptyText(status.image) ?? /\bimage (?:tag |name )?"([^"]+)"/.exec(message)?.[1] ?? ''
  const words = wordsOf(message, image)
  return words === '' ? `image ${image} can't be pulled` : `image ${image}: ${words}`
}

const nameWords = (words: string) =>
  stable(
    words.replace(/^(?:(?:Failed to apply default image tag|couldn't parse image name|couldn't parse image reference) "[^"]*": )+/, ''),
  )

// The kubelet and containerd wrap the words of the registry in their own.
const WRAPPINGS: readonly RegExp[] = [
  /^Back-off pulling image "[^"]*"(?:: |$)/,
  /^(?:Err\w+|RegistryUnavailable|SignatureValidationFailed): /,
  /^rpc error: code = \w+ desc = /,
  /^[Ff]ailed to pull (?:and unpack )?image "[^"]*": /,
  /^failed to resolve (?:reference|image) "[^"]*": /,
  /^failed to (?:copy|do request|authorize|pull image): /,
  /^failed to fetch \w+ token: /,
  /^(?:Head|Get) "[^"]*": /,
  /^dial tcp(?: \S+)?: (?=lookup )/,
  /^pulling from host \S+ failed with status code \[[^\]]*\]: /,
  /^unexpected status from \w+ request to \S+: /,
]

/** Such as `not found`, `401 Unauthorized` and `lookup registry.example.com: no such host`. */
function registryWords(message: string, image: string): string {
  let words = message
  for (let before = ''; before !== words; ) {
    before = words
    for (const wrapping of WRAPPINGS) words = words.replace(wrapping, '')
    if (words.startsWith(`${image}: `)) words = words.slice(image.length + 2)
  }
  return stable(words)
}

// A claim's status holds several of these texts.
const LONGEST = 400

const ADDRESSES = /(?: on | |->)(?:\d{1,3}(?:\.\d{1,3}){3}|\[[\da-fA-F:.]+\])(?::\d+)?(?=->|[:,\s]|$)/g

/** A message without the parts that differ from call to call. */
function stable(message: string): string {
  const text = message
    .replace(/ \(pod: [^()]*\([^()]*\)[^()]*\)/g, '')
    .replace(/\?[^\s"?=]*=[^\s"]*/g, '')
    .replace(/\bretry-after: [^,\s]+/gi, 'retry later')
    .replace(ADDRESSES, '')
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '…')
    .replace(/(sha256:)?[0-9a-f]{64}/g, (text, digest) => (digest === undefined ? '…' : text))
    .trim()
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}

/** The words of a pod that could not be created. Each try has another name. */
export const withoutPodName = (message: string): string => message.replace(/^(?:pods|Pod) "[^"]*" is /, '')
