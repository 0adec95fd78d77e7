// npm run test:soak -- --minutes 3: runs the bundle as a process and calls it over mutual TLS without pause, while certificates
// rotate and other clients misbehave. Compares every response with the core's. Exits with 1 after any problem: see verdict.ts.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { type Authority, createAuthority, type Identity, issueCertificate, serverNames } from '../../scripts/certificates.ts'
import { flags } from '../../scripts/flags.ts'
import { claims, compositeOf, mutate, mutations } from '../fixtures/claims.ts'
import { answerTo, requestOf } from '../fuzz/wire.ts'
import { attacks, channelOf, clientOf, send } from './attacks.ts'
import { inMebibytes, leaks, type Memory, memories, problemOf, problemsAtEnd, quarters } from './verdict.ts'

const values = flags('npm run test:soak', { minutes: { type: 'string', default: '3' } })
const IN_FLIGHT = 8
// The function polls the certificate folder every five seconds.
const ROTATION_MS = 6_000
const SAMPLE_MS = 1_000
const MAX_PROBLEM_LENGTH = 1_000

const problems: string[] = []
const counts = { calls: 0, 'wrong answers': 0, 'failed calls': 0, rotations: 0, attacks: 0 }

/** Requests with valid and invalid claims, each with its expected response. */
const requests = fc
  .sample(fc.tuple(claims(), fc.option(fc.constantFrom(...mutations))), { numRuns: 200, seed: 1 })
  .map(([claim, mutation]) => requestOf({ composite: compositeOf(mutation === null ? claim : mutate(claim, mutation)) }))
  .map(bytes => ({ bytes, answer: answerTo(bytes) }))

const folder = mkdtempSync(join(tmpdir(), 'soak-'))
const identityOf = (authority: Authority) =>
  issueCertificate(authority, { usages: ['server'], dnsNames: serverNames('function-event-driven-service') })
const clientIn = (authority: Authority) => issueCertificate(authority, { usages: ['client'] })

function writeCertificates(bundle: readonly Authority[], { certificate, key }: Identity): void {
  const files = { 'ca.crt': bundle.map(authority => authority.certificate).join(''), 'tls.crt': certificate, 'tls.key': key }
  // Replaces the files one by one, so the folder is incomplete at times but each file is complete.
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, `.${name}`), content)
    renameSync(join(folder, `.${name}`), join(folder, name))
  }
}

let authority = createAuthority()
let client = clientIn(authority)
writeCertificates([authority], identityOf(authority))

const child = fork('dist/function.js', [`--tls-certs-dir=${folder}`, '--address=127.0.0.1:0', '--metrics-address=127.0.0.1:0'], {
  // The flags of the image, and an IPC channel to sample the memory.
  execArgv: ['--max-semi-space-size=8', '--expose-gc', `--import=${new URL('memory.mjs', import.meta.url)}`],
  stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
})
const ended = once(child, 'exit')
const log = createInterface({ input: child.stderr as Readable })
interface Line {
  readonly level: string
  readonly msg: string
  readonly port: number
  readonly metricsPort: number
  readonly calls: string
}
let stopped: string | undefined
let isAlive = true

/** Undefined for a line that is not part of the log, such as Node's output after a crash. */
function parseLine(text: string): Line | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const { port, metricsPort } = await new Promise<Line>((resolve, reject) => {
  log.on('line', text => {
    const line = parseLine(text)
    if (line?.msg === 'listening') resolve(line)
    if (line?.msg === 'stopped') stopped = line.calls
    if ((line === undefined && text.trim() !== '') || line?.msg === 'call failed') problems.push(text.trim())
  })
  ended.then(() => {
    isAlive = false
    reject(new Error('the function exited before it listened'))
  })
})

const endMs = Date.now() + Number(values.minutes) * 60_000
const isRunning = () => Date.now() < endMs

const callsInFlight = async () => {
  if (!isAlive) return 0
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  return Number(/^function_calls_in_flight (\S+)$/m.exec(text)?.[1])
}

async function work(): Promise<void> {
  let own = client
  let channel = clientOf(port, channelOf(own))
  for (let index = Math.floor(Math.random() * requests.length); isRunning(); index++) {
    if (own !== client) {
      channel.close()
      own = client
      channel = clientOf(port, channelOf(own))
    }
    const { bytes, answer } = requests[index % requests.length] ?? { bytes: Buffer.alloc(0), answer: undefined }
    const result = await send(channel, bytes)
    counts.calls++
    const problem = problemOf(result, answer)
    if (problem === undefined) continue
    problems.push(result.bytes === undefined ? problem : `${problem} for request ${index % requests.length}`)
    counts[result.bytes === undefined ? 'failed calls' : 'wrong answers']++
    // Limits the number of errors if the function is down.
    await delay(100)
  }
  channel.close()
}

/** Rotates the server certificate each time, and the CA every second time with a period in which both are trusted. */
async function rotate(): Promise<void> {
  for (let round = 1; isRunning(); round++) {
    await delay(ROTATION_MS)
    if (round % 2 !== 0) writeCertificates([authority], identityOf(authority))
    else {
      const previous = authority
      authority = createAuthority()
      writeCertificates([previous, authority], identityOf(authority))
      await delay(ROTATION_MS)
      client = clientIn(authority)
      await delay(ROTATION_MS)
      writeCertificates([authority], identityOf(authority))
    }
    counts.rotations++
  }
}

async function misbehave(attack: (typeof attacks)[keyof typeof attacks], name: string): Promise<void> {
  for (; isRunning(); counts.attacks++) {
    const request = requests[0]?.bytes ?? Buffer.alloc(0)
    await attack({ port, client, request }).catch(error => problems.push(`${name}: ${error.message}`))
    await delay(500 + Math.random() * 1000)
  }
}

const samples: Memory[] = []
async function watch(): Promise<void> {
  for (; isRunning() && isAlive; await delay(SAMPLE_MS)) {
    const sampled = once(child, 'message').then(([memory]) => samples.push(memory))
    child.send('')
    await Promise.race([sampled, ended])
  }
}

await Promise.all([
  ...Array.from({ length: IN_FLIGHT }, work),
  ...Object.entries(attacks).map(([name, attack]) => misbehave(attack, name)),
  rotate(),
  watch(),
])

// Calls that were just cut off may take a moment to end.
if ((await callsInFlight()) > 0) await delay(1000)
const inFlight = await callsInFlight()
child.kill('SIGTERM')
const [exitCode] = await ended
rmSync(folder, { recursive: true })
problems.push(...leaks(samples), ...problemsAtEnd({ calls: counts.calls, inFlight, exitCode, stopped }))

console.table(counts)
console.log('Minimum memory after a full garbage collection in each quarter of the run, in MiB:')
console.table(Object.fromEntries(memories.map(of => [of, quarters(samples, of).map(inMebibytes)])))
for (const problem of [...new Set(problems)].slice(0, 20))
  console.log(`PROBLEM, ${problems.filter(other => other === problem).length} times: ${problem.slice(0, MAX_PROBLEM_LENGTH)}`)
process.exitCode = problems.length === 0 ? 0 : 1
