// The programs of the control plane, and its requirements on the machine.
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { goTool, isBuilt, moduleSources, type Place, versionOf } from '../go-tools.ts'

const run = promisify(execFile)

/** A program to build. */
export interface Pin {
  readonly module: string
  /** The program, if the module pins several. */
  readonly program?: string
  /** The display name. */
  readonly called: string
  /** The build time in seconds in this order, on two idle cores with an empty cache. */
  readonly seconds: number
  /** By default `process`. */
  readonly place?: Place
}

// The chart program comes after the CLI, which compiles the same Helm.
const pinned = {
  etcd: { module: 'cluster/programs/etcd', called: 'etcd', seconds: 41 },
  crossplane: { module: 'crossplane/core', called: 'Crossplane', seconds: 105 },
  apiServer: { module: 'cluster/programs/kubernetes', program: 'kube-apiserver', called: 'Kubernetes API server', seconds: 151 },
  controllers: {
    module: 'cluster/programs/kubernetes',
    program: 'kube-controller-manager',
    called: 'Kubernetes controller manager',
    seconds: 44,
  },
  scheduler: { module: 'cluster/programs/kubernetes', program: 'kube-scheduler', called: 'Kubernetes scheduler', seconds: 5 },
  kwok: { module: 'cluster/programs/kwok', called: 'KWOK', seconds: 66 },
  crane: { module: 'cluster/programs/crane', called: 'crane', seconds: 4 },
  crossplaneCli: { module: 'crossplane/cli', called: 'Crossplane CLI', seconds: 104 },
  chart: { module: 'cluster/programs/chart', called: "renderer of Crossplane's chart", seconds: 2 },
  kedaOperator: { module: 'cluster/programs/keda', program: 'operator', called: 'KEDA operator', seconds: 210 },
  kedaAdapter: { module: 'cluster/programs/keda', program: 'adapter', called: 'KEDA metrics adapter', seconds: 44 },
  kedaWebhooks: { module: 'cluster/programs/keda', program: 'webhooks', called: 'KEDA webhooks', seconds: 3 },
} as const satisfies Record<string, Pin>

/** The programs of a real node. */
const pinnedOfNode = {
  kubelet: { module: 'cluster/programs/kubernetes', program: 'kubelet', called: 'kubelet', seconds: 66 },
  kubeProxy: { module: 'cluster/programs/kubernetes', program: 'kube-proxy', called: 'kube-proxy', seconds: 13 },
  coredns: { module: 'cluster/programs/coredns', called: 'CoreDNS', seconds: 20 },
  kubeRouter: { module: 'cluster/programs/kube-router', called: 'kube-router', seconds: 40 },
} as const satisfies Record<string, Pin>

/** The path of each program of a real node. */
export type NodePrograms = Readonly<Record<keyof typeof pinnedOfNode, string>>

export const buildNodePrograms = (steps: Steps): Promise<NodePrograms> => buildAll(pinnedOfNode, steps)

export type ProgramName = keyof typeof pinned

/** The path of each program. */
export type Programs = Readonly<Record<ProgramName, string>>

/** The folders of the modules that contain manifests. */
export interface Sources {
  readonly keda: string
  readonly kwok: string
}

/** Reports completed and current steps. */
export interface Steps {
  readonly say: (line: string) => void
  readonly begin: (line: string) => void
}

/** For tests: what is done, and not what begins. */
export const toStandardError: Steps = { say: line => process.stderr.write(`${line}\n`), begin: () => undefined }

export const versions = () => ({
  kubernetes: versionOf(pinned.apiServer.module, pinned.apiServer.program),
  crossplane: versionOf(pinned.crossplane.module),
  keda: versionOf(pinned.kedaOperator.module, pinned.kedaOperator.program),
})

const prerequisites = [
  { program: 'go', args: ['version'], why: 'builds the control plane (https://go.dev/dl, 1.26 or later)' },
  { program: 'kubectl', args: ['version', '--client'], why: 'talks to the control plane (https://kubernetes.io/docs/tasks/tools)' },
  { program: 'nats-server', args: ['--version'], why: 'holds the messages (https://docs.nats.io, or apt-get install nats-server)' },
] as const

/** A line for each program that is not on the PATH. */
export async function missingPrerequisites(): Promise<string[]> {
  const lines = await Promise.all(
    prerequisites.map(async ({ program, args, why }) => {
      try {
        await run(program, [...args])
        return []
      } catch (error) {
        const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
        return absent ? [`${program} is missing: it ${why}`] : []
      }
    }),
  )
  return lines.flat()
}

const BUSY = 3
const MEASURED_CORES = 2

const minutes = (seconds: number): string => (seconds < 60 ? 'less than a minute' : `${Math.round(seconds / 60)} min`)

/** Estimates the build time before the first build. */
export function estimate(missing: readonly Pick<Pin, 'seconds'>[], cores: number): string {
  const idle = (missing.reduce((sum, { seconds }) => sum + seconds, 0) * MEASURED_CORES) / Math.min(cores, MEASURED_CORES)
  const count = missing.length === 1 ? 'one program' : `${missing.length} programs`
  return `building ${count}, once: ${minutes(idle)}, or up to ${minutes(idle * BUSY)} on a busy machine`
}

/** Estimates the remaining time from the completed builds. */
export function left(pins: readonly Pick<Pin, 'seconds'>[], done: number, spentSeconds: number): string {
  const expected = (part: readonly Pick<Pin, 'seconds'>[]) => part.reduce((sum, { seconds }) => sum + seconds, 0)
  const before = expected(pins.slice(0, done))
  const pace = before === 0 ? 1 : spentSeconds / before
  return `${minutes(expected(pins.slice(done)) * pace)} left`
}

/** Builds missing programs, one at a time because each build uses all cores. */
export async function buildAll<Name extends string>(
  pins: Readonly<Record<Name, Pin>>,
  { say, begin }: Steps,
): Promise<Readonly<Record<Name, string>>> {
  const names = Object.keys(pins) as Name[]
  const built = await Promise.all(names.map(name => isBuilt(pins[name].module, pins[name].program, pins[name].place)))
  const missing = names.filter((_, index) => !built[index]).map(name => pins[name])
  if (missing.length > 0) say(estimate(missing, availableParallelism()))
  const found: Partial<Record<Name, string>> = {}
  const began = Date.now()
  for (const name of names) {
    const { module, program, called, place } = pins[name]
    const what = `${called} ${versionOf(module, program)}`
    const position = missing.indexOf(pins[name])
    const started = Date.now()
    const announce = () =>
      begin(`building ${what} (${position + 1} of ${missing.length}, ${left(missing, position, (started - began) / 1000)})`)
    found[name] = await goTool(module, program, announce, place)
    if (position >= 0) say(`built ${what} in ${Math.round((Date.now() - started) / 1000)} s (${position + 1} of ${missing.length})`)
  }
  return found as Readonly<Record<Name, string>>
}

export async function buildPrograms(steps: Steps): Promise<{ readonly programs: Programs; readonly sources: Sources }> {
  const missing = await missingPrerequisites()
  if (missing.length > 0) throw new Error(missing.join('\n'))
  const programs = await buildAll(pinned, steps)
  const [keda, kwok] = await Promise.all([
    moduleSources('cluster/programs/keda', 'github.com/kedacore/keda/v2'),
    moduleSources('cluster/programs/kwok', 'sigs.k8s.io/kwok'),
  ])
  return { programs, sources: { keda, kwok } }
}
