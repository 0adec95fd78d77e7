// Measures functions side by side: in each round every function runs every call once.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createAuthority, issueCertificate, serverNames } from '../../scripts/certificates.ts'
import { type Calls, callsOf, type Kind, kinds } from './calls.ts'
import { desiredOf, differenceOf } from './compare.ts'
import { median } from './figures.ts'
import { cpuMs, megabytes } from './proc.ts'
import { coresAt, type Duration, load, type Measured, type Running, start, type Tls } from './process.ts'
import type { Program } from './programs.ts'

const ROUNDS = 3
// Limited by time, because the cost of resuming after the other functions does not depend on the number of calls.
const ROUND: Duration = { calls: Number.POSITIVE_INFINITY, ms: 2000 }
// Limited by calls, because they trigger the optimizing compiler. The time limit is for slow machines.
const WARM_UP: Duration = { calls: 2000, ms: 6000 }
const WARM_UP_IN_FLIGHT = 8
// Ten thousand claims with a call every 30 seconds, which is KEDA's polling interval while messages wait.
const BUSY_PER_SECOND = 10_000 / 30
const BUSY_MS = 15_000
// Each claim once.
const BUSY_WARM_UP_MS = 30_000
const STARTS = 5
const COMPARED = 5
const REST_MS = 2000

export type Transport = 'plaintext' | 'TLS'

export interface Extent {
  readonly transports: readonly Transport[]
  readonly inFlight: readonly number[]
}

export interface Case {
  readonly transport: Transport
  readonly kind: Kind
  readonly inFlight: number
  readonly name: string
}

export interface Memory {
  readonly transport: Transport
  readonly name: string
  readonly idleMegabytes: number
  readonly peakMegabytes: number
  /** Measured some seconds after the last call. */
  readonly endMegabytes: number
}

/** Writes certificates like Crossplane's to a folder for the functions. */
function createTls(folder: string): Tls {
  const authority = createAuthority()
  const server = issueCertificate(authority, { usages: ['server'], dnsNames: serverNames('function-bench') })
  writeFileSync(join(folder, 'ca.crt'), authority.certificate)
  writeFileSync(join(folder, 'tls.crt'), server.certificate)
  writeFileSync(join(folder, 'tls.key'), server.key)
  return { folder, client: issueCertificate(authority, { usages: ['client'], dnsNames: ['crossplane'] }) }
}

export interface Busy {
  readonly name: string
  /** The share of a core that ten thousand busy claims use. */
  readonly cores: number
  readonly rssMegabytes: number
}

type AllCalls = Readonly<Record<Kind, Calls>>

const allCalls = ({ input }: Program): AllCalls => ({
  first: callsOf('first', input),
  steady: callsOf('steady', input),
  mixed: callsOf('mixed', input),
  busy: callsOf('busy', input),
})

interface Competitor {
  readonly program: Program
  readonly running: Running
  readonly calls: AllCalls
}

/** Throws if a function renders other resources than the first. */
async function requireSameResources(competitors: readonly Competitor[]): Promise<void> {
  const [ours, ...others] = competitors
  if (ours === undefined) return
  for (const kind of kinds) {
    for (let number = 0; number < COMPARED; number++) {
      const resources = await desiredOf(ours.running.connection, ours.calls[kind], number)
      for (const { program, running, calls } of others) {
        const difference = differenceOf(resources, await desiredOf(running.connection, calls[kind], number))
        if (difference !== undefined)
          throw new Error(`${ours.program.name} and ${program.name} render different resources for a ${kind} call: ${difference}`)
      }
    }
  }
}

function medians(rounds: readonly Measured[]): Measured {
  const of = (figure: keyof Measured) => median(rounds.map(round => round[figure]))
  return {
    callsPerSecond: of('callsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuMsPerCall: of('cpuMsPerCall'),
    clientCpuMsPerCall: of('clientCpuMsPerCall'),
    rssMegabytes: of('rssMegabytes'),
  }
}

/** Ten thousand claims on a process that has seen no flood. */
async function measureBusy(program: Program, { busy, first }: AllCalls, tls: Tls): Promise<Busy> {
  const running = await start(program, tls, first)
  try {
    await coresAt(running, busy, BUSY_PER_SECOND, BUSY_WARM_UP_MS)
    const cores = await coresAt(running, busy, BUSY_PER_SECOND, BUSY_MS)
    return { name: program.name, cores, rssMegabytes: megabytes(running.pid, 'VmRSS') }
  } finally {
    await running.stop()
  }
}

async function compareOver(transport: Transport, competitors: readonly Competitor[], counts: readonly number[]) {
  await requireSameResources(competitors)
  await delay(REST_MS)
  const idle = competitors.map(({ running }) => megabytes(running.pid, 'VmRSS'))
  for (const { running, calls } of competitors) for (const kind of kinds) await load(running, calls[kind], WARM_UP_IN_FLIGHT, WARM_UP)

  const cases = counts.flatMap(inFlight =>
    kinds.flatMap(kind => competitors.map(competitor => ({ inFlight, kind, competitor, rounds: [] as Measured[] }))),
  )
  for (let round = 0; round < ROUNDS; round++) {
    for (const { inFlight, kind, competitor, rounds } of cases) {
      rounds.push(await load(competitor.running, competitor.calls[kind], inFlight, ROUND))
    }
  }
  await delay(REST_MS)
  return {
    measured: cases.map(({ inFlight, kind, competitor, rounds }): Case & Measured => ({
      transport,
      kind,
      inFlight,
      name: competitor.program.name,
      ...medians(rounds),
    })),
    memory: competitors.map(
      ({ program, running }, index): Memory => ({
        transport,
        name: program.name,
        idleMegabytes: idle[index] ?? Number.NaN,
        peakMegabytes: megabytes(running.pid, 'VmHWM'),
        endMegabytes: megabytes(running.pid, 'VmRSS'),
      }),
    ),
  }
}

export interface Comparison {
  readonly measured: readonly (Case & Measured)[]
  readonly memory: readonly Memory[]
  readonly busy: readonly Busy[]
}

async function withTls<T>(use: (tls: Tls) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    return await use(createTls(folder))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function compareAll(programs: readonly Program[], { transports, inFlight }: Extent): Promise<Comparison> {
  return withTls(async tls => {
    const prepared = programs.map(program => ({ program, calls: allCalls(program) }))
    const parts: Omit<Comparison, 'busy'>[] = []
    const busy: Busy[] = []
    for (const transport of transports) {
      const competitors: Competitor[] = []
      try {
        for (const { program, calls } of prepared) {
          competitors.push({ program, calls, running: await start(program, transport === 'TLS' ? tls : undefined, calls.first) })
        }
        parts.push(await compareOver(transport, competitors, inFlight))
      } finally {
        for (const { running } of competitors) await running.stop()
      }
    }
    if (transports.includes('TLS')) for (const { program, calls } of prepared) busy.push(await measureBusy(program, calls, tls))
    return {
      busy,
      measured: parts.flatMap(({ measured }) => measured),
      memory: parts.flatMap(({ memory }) => memory),
    }
  })
}

export interface Start {
  readonly name: string
  /** From the start of the process to its first response over TLS. */
  readonly ms: number
  /** The CPU time in this period. */
  readonly cpuMs: number
}

export function starts(programs: readonly Program[]): Promise<Start[]> {
  return withTls(async tls => {
    const all = programs.map(program => ({ program, hello: callsOf('first', program.input), took: [] as number[], cpu: [] as number[] }))
    for (let round = 0; round < STARTS; round++) {
      for (const { program, hello, took, cpu } of all) {
        const running = await start(program, tls, hello)
        took.push(running.startMs)
        cpu.push(cpuMs(running.pid))
        await running.stop()
      }
    }
    return all.map(({ program: { name }, took, cpu }) => ({ name, ms: median(took), cpuMs: median(cpu) }))
  })
}
