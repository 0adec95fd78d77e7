// npm run test:soak -- --minutes 3: the bundle as a process, asked all the time over mutual TLS, while certificates change
// and others make trouble. Every answer is compared with the core's. Ends with 1 where something was wrong: see verdict.ts.
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
import { channelOf, clientOf, send, troubles } from './troubles.ts'
import { complaint, inMebibytes, leaks, type Memory, memories, quarters, unclean } from './verdict.ts'

const values = flags('npm run test:soak', { minutes: { type: 'string', default: '3' } })
const IN_FLIGHT = 8
// The folder is looked at every five seconds.
const ROTATION_MS = 6_000
const LOOK_MS = 1_000
const LONGEST_PROBLEM = 1_000

const wrong: string[] = []
const counts = { calls: 0, 'wrong answers': 0, 'failed calls': 0, rotations: 0, troubles: 0 }

/** Valid claims and broken ones, each with the answer that it has to get. */
const questions = fc
  .sample(fc.tuple(claims(), fc.option(fc.constantFrom(...mutations))), { numRuns: 200, seed: 1 })
  .map(([claim, mutation]) => requestOf({ composite: compositeOf(mutation === null ? claim : mutate(claim, mutation)) }))
  .map(bytes => ({ bytes, answer: answerTo(bytes) }))

const folder = mkdtempSync(join(tmpdir(), 'soak-'))
const identityOf = (authority: Authority) =>
  issueCertificate(authority, { usages: ['server'], dnsNames: serverNames('function-event-driven-service') })
const clientIn = (authority: Authority) => issueCertificate(authority, { usages: ['client'] })

function show(bundle: readonly Authority[], { certificate, key }: Identity): void {
  const files = { 'ca.crt': bundle.map(authority => authority.certificate).join(''), 'tls.crt': certificate, 'tls.key': key }
  // One after the other, so that it is at times half written, and each in one go.
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, `.${name}`), content)
    renameSync(join(folder, `.${name}`), join(folder, name))
  }
}

let authority = createAuthority()
let client = clientIn(authority)
show([authority], identityOf(authority))

const child = fork('dist/function.js', [`--tls-certs-dir=${folder}`, '--address=127.0.0.1:0', '--metrics-address=127.0.0.1:0'], {
  // As the image starts it, and with a way to ask for its memory.
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

/** Undefined for what is no line of the log, such as what Node says of a crash. */
function understand(text: string): Line | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const { port, metricsPort } = await new Promise<Line>((resolve, reject) => {
  log.on('line', text => {
    const line = understand(text)
    if (line?.msg === 'listening') resolve(line)
    if (line?.msg === 'stopped') stopped = line.calls
    if ((line === undefined && text.trim() !== '') || line?.msg === 'call failed') wrong.push(text.trim())
  })
  ended.then(() => {
    isAlive = false
    reject(new Error('the function ended before it listened'))
  })
})

const endMs = Date.now() + Number(values.minutes) * 60_000
const lasts = () => Date.now() < endMs

const callsInFlight = async () => {
  if (!isAlive) return 0
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  return Number(/^function_calls_in_flight (\S+)$/m.exec(text)?.[1])
}

async function work(): Promise<void> {
  let own = client
  let channel = clientOf(port, channelOf(own))
  for (let index = Math.floor(Math.random() * questions.length); lasts(); index++) {
    if (own !== client) {
      channel.close()
      own = client
      channel = clientOf(port, channelOf(own))
    }
    const { bytes, answer } = questions[index % questions.length] ?? { bytes: Buffer.alloc(0), answer: undefined }
    const said = await send(channel, bytes)
    counts.calls++
    const problem = complaint(said, answer)
    if (problem === undefined) continue
    wrong.push(said.bytes === undefined ? problem : `${problem} to question ${index % questions.length}`)
    counts[said.bytes === undefined ? 'failed calls' : 'wrong answers']++
    // Not to ask thousands of times what is gone.
    await delay(100)
  }
  channel.close()
}

/** Another certificate of the server each time; every second time another CA, which for a while stands beside the old one. */
async function rotate(): Promise<void> {
  for (let round = 1; lasts(); round++) {
    await delay(ROTATION_MS)
    if (round % 2 !== 0) show([authority], identityOf(authority))
    else {
      const before = authority
      authority = createAuthority()
      show([before, authority], identityOf(authority))
      await delay(ROTATION_MS)
      client = clientIn(authority)
      await delay(ROTATION_MS)
      show([authority], identityOf(authority))
    }
    counts.rotations++
  }
}

async function trouble(make: (typeof troubles)[keyof typeof troubles], name: string): Promise<void> {
  for (; lasts(); counts.troubles++) {
    const request = questions[0]?.bytes ?? Buffer.alloc(0)
    await make({ port, client, request }).catch(error => wrong.push(`${name}: ${error.message}`))
    await delay(500 + Math.random() * 1000)
  }
}

const seen: Memory[] = []
async function watch(): Promise<void> {
  for (; lasts() && isAlive; await delay(LOOK_MS)) {
    const said = once(child, 'message').then(([memory]) => seen.push(memory))
    child.send('')
    await Promise.race([said, ended])
  }
}

await Promise.all([
  ...Array.from({ length: IN_FLIGHT }, work),
  ...Object.entries(troubles).map(([name, make]) => trouble(make, name)),
  rotate(),
  watch(),
])

// What was cut off just now may take a moment.
if ((await callsInFlight()) > 0) await delay(1000)
const inFlight = await callsInFlight()
child.kill('SIGTERM')
const [exitCode] = await ended
rmSync(folder, { recursive: true })
wrong.push(...leaks(seen), ...unclean({ calls: counts.calls, inFlight, exitCode, stopped }))

console.table(counts)
console.log('The least memory after a full collection, in each quarter of the time, MiB:')
console.table(Object.fromEntries(memories.map(of => [of, quarters(seen, of).map(inMebibytes)])))
for (const problem of [...new Set(wrong)].slice(0, 20))
  console.log(`WRONG, ${wrong.filter(other => other === problem).length} times: ${problem.slice(0, LONGEST_PROBLEM)}`)
process.exitCode = wrong.length === 0 ? 0 : 1
