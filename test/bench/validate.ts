// npm run bench:validate: validates 10,000 claims, in one file and in a file each, with eds and, if Go is installed, with
// kubeconform and the same schema. Compare ratios, because absolute numbers depend on the machine. README.md
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flags } from '../../scripts/flags.ts'
import { goTool, versionOf } from '../e2e/go-tools.ts'
import { cpuMs, machine, megabytes } from './proc.ts'

const { json } = flags('npm run bench:validate', { json: { type: 'string' } })
const CLAIMS = Number(process.env.CLAIMS ?? 10_000)
const RUNS = 5
const SCHEMA = 'schemas/eventdrivenservice.schema.json'

const sizes = ['micro', 'small', 'medium', 'large']

/** A typical claim. */
const claim = (index: number) => `apiVersion: platform.bizmatters.io/v1alpha1
kind: EventDrivenService
metadata:
  name: worker-${index}
  namespace: team-${index % 50}
spec:
  image: ghcr.io/acme/worker-${index}:1.${index % 10}.2
  size: ${sizes[index % sizes.length]}
  nats:
    stream: ORDERS_${index}
    consumer: workers-${index}
  scaling:
    minReplicas: ${index % 3}
    maxReplicas: ${10 + (index % 5)}
  env:
    - name: LOG_LEVEL
      value: info
    - name: WORKERS
      value: "${index % 8}"
  secretRefs:
    - name: worker-${index}-db
      env:
        - secretKey: password
          envName: DB_PASSWORD
`

/** Adds two errors to every tenth claim. */
const faulty = (index: number) =>
  index % 10 === 0 ? claim(index).replace('size: ', 'size: x').replace('stream:', 'streams:') : claim(index)

const folder = mkdtempSync(join(tmpdir(), 'eds-bench-'))
const inOne = join(folder, 'claims.yaml')
const inMany = join(folder, 'claims')
const withErrors = join(folder, 'errors.yaml')

function generate(): void {
  const all = Array.from({ length: CLAIMS }, (_, index) => index)
  writeFileSync(inOne, all.map(claim).join('---\n'))
  writeFileSync(withErrors, all.map(faulty).join('---\n'))
  mkdirSync(inMany)
  for (const index of all) writeFileSync(join(inMany, `${index}.yaml`), claim(index))
}

interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMegabytes: number
}

/** Samples CPU time and memory of a running process; its last milliseconds may be missing. */
function sample(pid: number): { cpuSeconds: number; peakMegabytes: number } | undefined {
  try {
    const peakMegabytes = megabytes(pid, 'VmHWM')
    // A process that has just ended has no memory.
    return Number.isNaN(peakMegabytes) ? undefined : { cpuSeconds: cpuMs(pid) / 1000, peakMegabytes }
  } catch {
    // The process has ended, or this is not Linux.
    return undefined
  }
}

async function measure(program: string, args: readonly string[]): Promise<Measured> {
  const began = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] })
  let seen = { cpuSeconds: Number.NaN, peakMegabytes: Number.NaN }
  const timer = setInterval(() => {
    seen = sample(child.pid ?? 0) ?? seen
  }, 10)
  const [code] = await once(child, 'exit')
  clearInterval(timer)
  if (code !== 0 && code !== 1) throw new Error(`${program} ${args.join(' ')} exited with ${code}`)
  return { seconds: (performance.now() - began) / 1000, ...seen }
}

/** The minimum of several runs, because other load only slows them down. */
async function best(program: string, args: readonly string[]): Promise<Measured> {
  const runs: Measured[] = []
  for (let run = 0; run < RUNS; run++) runs.push(await measure(program, args))
  const minimum = (of: (run: Measured) => number) => Math.min(...runs.map(of))
  const seconds = minimum(run => run.seconds)
  return { seconds, cpuSeconds: minimum(run => run.cpuSeconds), peakMegabytes: Math.max(...runs.map(run => run.peakMegabytes)) }
}

const eds = (...args: string[]) => best(process.execPath, ['dist/eds.js', 'validate', '--quiet', ...args])

console.log(`${machine.cores} × ${machine.cpu}, Node ${machine.node}; ${CLAIMS} claims, best of ${RUNS} runs\n`)
const measured: { what: string; claims: number; best: Measured }[] = []
const note = (what: string, claims: number, best: Measured) => measured.push({ what, claims, best })
try {
  generate()
  note('eds, one file', CLAIMS, await eds(inOne))
  note('eds, a file each', CLAIMS, await eds(inMany))
  note('eds, one file, every tenth claim with two errors', CLAIMS, await eds(withErrors))
  note('eds, one claim (startup)', 1, await eds('examples/minimal-claim.yaml'))
  const kubeconform = await goTool('kubeconform').catch((error: Error) => console.log(`kubeconform is not compared: ${error.message}\n`))
  if (kubeconform !== undefined) {
    const kubeconformRun = (...args: string[]) => best(kubeconform, ['-n', String(machine.cores), '-schema-location', SCHEMA, ...args])
    note(`kubeconform ${versionOf('kubeconform')}, one file`, CLAIMS, await kubeconformRun(inOne))
    note('kubeconform, a file each', CLAIMS, await kubeconformRun(inMany))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.table(
  Object.fromEntries(
    measured.map(({ what, claims, best: { seconds, cpuSeconds, peakMegabytes } }) => [
      what,
      {
        seconds: Number(seconds.toFixed(2)),
        'CPU seconds': Number(cpuSeconds.toFixed(2)),
        'claims/s': Math.round(claims / seconds),
        'peak MB': Math.round(peakMegabytes),
      },
    ]),
  ),
)
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, measured }, null, 2)}\n`)
