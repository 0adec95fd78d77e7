// What the control plane is built of, and what it needs on the machine.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { sources, tool, versionOf } from '../tools.ts'

const run = promisify(execFile)

// In the order in which they are started.
const pinned = {
  etcd: ['cluster/programs/etcd'],
  apiServer: ['cluster/programs/kubernetes', 'kube-apiserver'],
  controllers: ['cluster/programs/kubernetes', 'kube-controller-manager'],
  scheduler: ['cluster/programs/kubernetes', 'kube-scheduler'],
  kwok: ['cluster/programs/kwok'],
  crane: ['cluster/programs/crane'],
  helm: ['cluster/programs/helm'],
  crossplane: ['crossplane/core'],
  crossplaneCli: ['crossplane/cli'],
  kedaOperator: ['cluster/programs/keda', 'operator'],
  kedaAdapter: ['cluster/programs/keda', 'adapter'],
  kedaWebhooks: ['cluster/programs/keda', 'webhooks'],
} as const satisfies Record<string, readonly [string, string?]>

export type ProgramName = keyof typeof pinned

/** Where each program is. */
export type Programs = Readonly<Record<ProgramName, string>>

/** The folders of the modules that bring manifests along. */
export interface Sources {
  readonly keda: string
  readonly kwok: string
}

/** Says what is done, and what is being done. */
export interface Steps {
  readonly say: (line: string) => void
  readonly begin: (line: string) => void
}

export const versions = () => ({
  kubernetes: versionOf(...pinned.apiServer),
  crossplane: versionOf(...pinned.crossplane),
  keda: versionOf(...pinned.kedaOperator),
})

const prerequisites = [
  { program: 'go', args: ['version'], why: 'builds the control plane (https://go.dev/dl, 1.26 or later)' },
  { program: 'kubectl', args: ['version', '--client'], why: 'talks to the control plane (https://kubernetes.io/docs/tasks/tools)' },
  { program: 'nats-server', args: ['--version'], why: 'holds the messages (https://docs.nats.io, or apt-get install nats-server)' },
] as const

/** One line for each program that is not on the PATH. */
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

/** Builds what is not built yet; one at a time, as each takes all cores. */
export async function buildAll<Name extends string>(
  pins: Readonly<Record<Name, readonly [string, string?]>>,
  { say, begin }: Steps,
): Promise<Readonly<Record<Name, string>>> {
  const names = Object.keys(pins) as Name[]
  const found: Partial<Record<Name, string>> = {}
  for (const [index, name] of names.entries()) {
    const [module, program] = pins[name]
    const began = Date.now()
    const what = [...module.split('/').slice(-1), ...(program === undefined ? [] : [program]), versionOf(module, program)].join(' ')
    begin(`building ${what} (${index + 1} of ${names.length})`)
    found[name] = await tool(module, program)
    const seconds = Math.round((Date.now() - began) / 1000)
    if (seconds > 1) say(`built ${what} in ${seconds} s (${index + 1} of ${names.length})`)
  }
  return found as Readonly<Record<Name, string>>
}

export async function buildPrograms(steps: Steps): Promise<{ readonly programs: Programs; readonly sources: Sources }> {
  const missing = await missingPrerequisites()
  if (missing.length > 0) throw new Error(missing.join('\n'))
  const programs = await buildAll(pinned, steps)
  const [keda, kwok] = await Promise.all([
    sources('cluster/programs/keda', 'github.com/kedacore/keda/v2'),
    sources('cluster/programs/kwok', 'sigs.k8s.io/kwok'),
  ])
  return { programs, sources: { keda, kwok } }
}
