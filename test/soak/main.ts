// npm run test:soak -- --minutes 3: the bundle as a process, asked all the time over mutual TLS, while certificates change
// and others make trouble. Every answer is compared with the core's. Ends with 1 where something was wrong.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { status } from '@grpc/grpc-js'
import fc from 'fast-check'
import { type Authority, createAuthority, type Identity, issueCertificate, serverNames } from '../../scripts/certificates.ts'
import { claims, compositeOf, mutate, mutations } from '../claims.ts'
import { answerTo, requestOf } from '../fuzz/wire.ts'
import { channelOf, clientOf, send, troubles } from './troubles.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '3' } } })
const IN_FLIGHT = 8
// The folder is looked at every five seconds.
const ROTATION_MS = 6_000
const LEAK_MEBIBYTES = 48
const MEBIBYTE = 1024 * 1024

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

const child = spawn(
  process.execPath,
  ['dist/function.js', `--tls-certs-dir=${folder}`, '--address=127.0.0.1:0', '--metrics-address=127.0.0.1:0'],
  { stdio: ['ignore', 'ignore', 'pipe'] },
)
const ended = once(child, 'exit')
const log = createInterface({ input: child.stderr })
interface Line {
  readonly level: string
  readonly msg: string
  readonly port: number
  readonly metricsPort: number
}
let stopped: Line | undefined
const { port, metricsPort } = await new Promise<Line>((resolve, reject) => {
  log.on('line', text => {
    const line = JSON.parse(text) as Line
    if (line.msg === 'listening') resolve(line)
    if (line.msg === 'stopped') stopped = line
    if (line.msg === 'call failed') wrong.push(text)
  })
  ended.then(() => reject(new Error('the function ended before it listened')))
})

const endMs = Date.now() + Number(values.minutes) * 60_000
const lasts = () => Date.now() < endMs

const figures = async (): Promise<(name: string) => number> => {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  return name => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
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
    if (said.bytes === undefined) {
      counts['failed calls']++
      wrong.push(`a call failed: ${said.code === undefined ? '' : status[said.code]} ${said.details}`)
      await delay(100)
    } else if (!isDeepStrictEqual(RunFunctionResponse.decode(said.bytes), answer)) {
      counts['wrong answers']++
      wrong.push(`another answer than the core's to question ${index % questions.length}`)
    }
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

/** The least of each quarter of the time: what no collection takes away. */
const quarters: { heap: number; resident: number }[] = []
async function watch(): Promise<void> {
  const beganMs = Date.now()
  while (lasts()) {
    const figure = await figures()
    const quarter = Math.min(3, Math.floor((4 * (Date.now() - beganMs)) / (endMs - beganMs)))
    const { heap, resident } = quarters[quarter] ?? { heap: Number.POSITIVE_INFINITY, resident: Number.POSITIVE_INFINITY }
    quarters[quarter] = {
      heap: Math.min(heap, figure('nodejs_heap_size_used_bytes') / MEBIBYTE),
      resident: Math.min(resident, figure('process_resident_memory_bytes') / MEBIBYTE),
    }
    await delay(500)
  }
}

await Promise.all([
  ...Array.from({ length: IN_FLIGHT }, work),
  ...Object.entries(troubles).map(([name, make]) => trouble(make, name)),
  rotate(),
  watch(),
])

const open = (await figures())('function_calls_in_flight')
if (open > 0) {
  // What was cut off just now.
  await delay(1000)
  const still = (await figures())('function_calls_in_flight')
  if (still > 0) wrong.push(`${still} calls are in flight when nobody calls any more`)
}
child.kill('SIGTERM')
const [code] = await ended
rmSync(folder, { recursive: true })
if (counts.calls === 0) wrong.push('nothing was asked')
if (code !== 0) wrong.push(`SIGTERM ended it with ${code}`)
if (stopped === undefined) wrong.push('it did not say that it stopped')

// The first quarter warms up. A leak goes on, so a step that is made once is none.
const [, second, third, fourth] = quarters.map(({ heap }) => heap)
const leaks = second !== undefined && third !== undefined && fourth !== undefined && third > second && fourth - second > LEAK_MEBIBYTES
if (leaks) wrong.push(`the heap grows: ${quarters.map(({ heap }) => heap.toFixed(0)).join(', ')} MB`)

console.table(counts)
console.log('Least memory in each quarter of the time, MB:')
console.table(quarters.map(({ heap, resident }) => ({ heap: heap.toFixed(0), resident: resident.toFixed(0) })))
for (const problem of [...new Set(wrong)].slice(0, 20))
  console.log(`WRONG, ${wrong.filter(other => other === problem).length} times: ${problem}`)
process.exitCode = wrong.length === 0 ? 0 : 1
