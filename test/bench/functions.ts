// Functions side by side: round after round, each takes its turn with each call.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority, issueCertificate, serverNames } from '../../scripts/certificates.ts'
import { type Kind, kinds, type Payload, payloads } from './calls.ts'
import { median } from './figures.ts'
import { load, type Measured, type Program, type Running, start, type Tls, type Until } from './process.ts'

const ROUNDS = 3
const ROUND: Until = { ms: 1500 }
// By calls, as it is by calls that a program gets hot.
const WARM_UP: Until = { ms: 5000, calls: 2000 }

type Transport = 'plaintext' | 'TLS'

export interface Extent {
  readonly transports: readonly Transport[]
  readonly inFlight: readonly number[]
}

/** Certificates as Crossplane makes them, in a folder for the functions. */
function createTls(folder: string): Tls {
  const authority = createAuthority()
  const server = issueCertificate(authority, { usages: ['server'], dnsNames: serverNames('function-bench') })
  writeFileSync(join(folder, 'ca.crt'), authority.certificate)
  writeFileSync(join(folder, 'tls.crt'), server.certificate)
  writeFileSync(join(folder, 'tls.key'), server.key)
  return { folder, client: issueCertificate(authority, { usages: ['client'], dnsNames: ['crossplane'] }) }
}

interface Competitor {
  readonly program: Program
  readonly running: Running
  readonly sent: Readonly<Record<Kind, readonly Payload[]>>
}

const medians = (rounds: readonly Measured[]): Measured => {
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

async function compareOver(transport: Transport, competitors: readonly Competitor[], inFlight: readonly number[]) {
  for (const { running, sent } of competitors) for (const kind of kinds) await load(running, sent[kind], 8, WARM_UP)
  const measured: Record<string, Measured[]> = {}
  for (let round = 0; round < ROUNDS; round++) {
    for (const count of inFlight) {
      for (const kind of kinds) {
        for (const { program, running, sent } of competitors) {
          const row = `${transport}, ${kind}, ${count} in flight: ${program.name}`
          measured[row] = [...(measured[row] ?? []), await load(running, sent[kind], count, ROUND)]
        }
      }
    }
  }
  return Object.fromEntries(Object.entries(measured).map(([row, rounds]) => [row, medians(rounds)]))
}

export async function compareAll(programs: readonly Program[], { transports, inFlight }: Extent) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const table: Record<string, Measured> = {}
  try {
    const tls = createTls(folder)
    for (const transport of transports) {
      const competitors: Competitor[] = []
      try {
        for (const program of programs) {
          const sent = { first: payloads('first', undefined), steady: payloads('steady', undefined), mixed: payloads('mixed', undefined) }
          competitors.push({ program, sent, running: await start(program, transport === 'TLS' ? tls : undefined, sent.first) })
        }
        Object.assign(table, await compareOver(transport, competitors, inFlight))
      } finally {
        for (const { running } of competitors) await running.stop()
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return table
}
