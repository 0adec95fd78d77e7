// npm run bench:cluster [-- --peer NAME=PROGRAM] [--claims 200] [--minutes 5]: measures the cost of claims on a real control plane
// while they are created, at rest, and with messages waiting. Writes docs/scale.json and docs/scale.md.
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import manifest from '../package.json' with { type: 'json' }
import { flags } from '../scripts/flags.ts'
import { observedCondition } from '../src/kubernetes/conditions.ts'
import { at } from '../src/kubernetes/json.ts'
import { installPeer } from '../test/bench/peer.ts'
import { cpuMs, megabytes } from '../test/bench/proc.ts'
import { API_VERSION, type ClaimManifest, createNamespace, KIND, referenceOf, worker } from '../test/e2e/cluster/claim.ts'
import { type Cluster, startCluster, startNats } from '../test/e2e/cluster/cluster.ts'
import { FUNCTION, functionName, install, publish } from '../test/e2e/cluster/install.ts'
import { connectNats, type Nats } from '../test/e2e/cluster/nats.ts'
import { versions } from '../test/e2e/cluster/programs.ts'
import { createProgress } from '../test/e2e/cluster/progress.ts'
import { root } from '../test/fixtures/claim-files.ts'
import { type Contender, type CpuSeconds, drawPage, type Scale } from './scale-page.ts'

const STREAM = 'BENCH'
const CONSUMER = 'workers'
const LONG_MS = 30 * 60_000
// Two polls of KEDA, after which the previous phase has ended.
const SETTLE_MS = 60_000
const EMPTY_MINUTES = 1

const components = [
  ...['crossplane', 'kube-apiserver', 'etcd', 'kube-controller-manager', 'kube-scheduler'],
  ...['keda-operator', 'keda-metrics-apiserver', 'kwok'],
]

interface Subject {
  readonly name: string
  readonly process: string
  /** The name of the function in Crossplane's metrics. */
  readonly functionName: string
  /** Undefined for the default Composition. */
  readonly composition?: string
}

const values = flags('npm run bench:cluster', {
  peer: { type: 'string' },
  claims: { type: 'string', default: '200' },
  minutes: { type: 'string', default: '5' },
})
const COUNT = Number(values.claims)
const MINUTES = Number(values.minutes)
const progress = createProgress(process.stderr)

/** The number of calls that Crossplane has made to a function. */
async function callsOf({ network }: Cluster, functionName: string): Promise<number> {
  const { hostname, port } = new URL(network.url)
  const text = await new Promise<string>((resolve, reject) => {
    request({ hostname, port, path: 'http://crossplane.crossplane-system:8080/metrics' }, async answer => {
      resolve((await answer.setEncoding('utf8').toArray()).join(''))
    })
      .once('error', reject)
      .end()
  })
  const lines = text
    .split('\n')
    .filter(line => line.startsWith('function_run_function_request_total{') && line.includes(`"${functionName}"`))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const named = ({ process }: Subject): [string, string][] => [
  ['function', process],
  ...components.map((name): [string, string] => [name, name]),
]
const cpu = ({ processes }: Cluster, subject: Subject): CpuSeconds =>
  Object.fromEntries(named(subject).map(([name, process]) => [name, cpuMs(processes.pid(process)) / 1000]))
const memory = ({ processes }: Cluster, subject: Subject) =>
  Object.fromEntries(named(subject).map(([name, process]) => [name, megabytes(processes.pid(process), 'VmRSS')]))

/** Measures from now until the returned function is called. */
async function measure(cluster: Cluster, subject: Subject) {
  const [began, calls, before] = [Date.now(), await callsOf(cluster, subject.functionName), cpu(cluster, subject)]
  return async () => {
    const after = cpu(cluster, subject)
    return {
      seconds: (Date.now() - began) / 1000,
      calls: (await callsOf(cluster, subject.functionName)) - calls,
      cpuSeconds: Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)])),
    }
  }
}

/** Resolves when the last claim is ready. */
async function allReady({ api, until }: Cluster, namespace: string): Promise<void> {
  const ready = new Set<unknown>()
  const watch = api.watch({ apiVersion: API_VERSION, kind: KIND, namespace }, ({ object }) => {
    const name = at(object, 'metadata', 'name')
    if (observedCondition(object, 'Ready')?.status === 'True') ready.add(name)
    else ready.delete(name)
  })
  await until(`${COUNT} claims are ready`, () => ready.size === COUNT, { timeoutMs: LONG_MS })
  watch.stop()
}

async function run(cluster: Cluster, nats: Nats, subject: Subject): Promise<Contender> {
  const { api, until } = cluster
  const namespace = subject.process
  await createNamespace(cluster, namespace)
  const claims = Array.from({ length: COUNT }, (_, index): ClaimManifest => {
    const spec = { nats: { stream: STREAM, consumer: CONSUMER }, scaling: {} }
    const composition = subject.composition && { compositionRef: { name: subject.composition } }
    return worker(namespace, `worker-${index}`, STREAM, { ...spec, ...composition })
  })
  const last = async (minutes: number, phase: string) => {
    progress.begin(`${subject.name}: ${minutes} min ${phase}`)
    await delay(SETTLE_MS)
    const ended = await measure(cluster, subject)
    await delay(minutes * 60_000)
    const stretch = await ended()
    progress.say(`${subject.name}: ${(stretch.calls / stretch.seconds).toFixed(2)} calls a second ${phase}`)
    return { ...stretch, residentMegabytes: memory(cluster, subject) }
  }
  const empty = await last(EMPTY_MINUTES, 'without claims')

  progress.begin(`${subject.name}: ${COUNT} claims at once`)
  const started = await measure(cluster, subject)
  await Promise.all([allReady(cluster, namespace), ...claims.map(claim => api.apply(claim))])
  const start = await started()
  progress.say(`${subject.name}: ${COUNT} claims ready after ${start.seconds.toFixed(1)} s, ${start.calls} calls`)

  const rest = await last(MINUTES, 'at rest')
  await nats.fill(STREAM, 1)
  const busy = await last(MINUTES, 'with a message waiting')
  await nats.take(STREAM, CONSUMER, 1)

  progress.begin(`${subject.name}: the claims go`)
  await Promise.all(claims.map(claim => api.delete(referenceOf(claim))))
  for (const kind of [
    { apiVersion: API_VERSION, kind: KIND },
    { apiVersion: 'v1', kind: 'Pod' },
    { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' },
  ])
    await until(`no ${kind.kind} is left`, async () => (await api.list({ ...kind, namespace })).length === 0, {
      timeoutMs: LONG_MS,
      everyMs: 2_000,
    })
  return { name: subject.name, empty, start, rest, busy }
}

function write(contenders: readonly Contender[]): void {
  const { kubernetes, crossplane, keda } = versions()
  const scale: Scale = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    versions: `Kubernetes ${kubernetes}, Crossplane ${crossplane}, KEDA ${keda}, Node ${process.version}`,
    claims: COUNT,
    contenders,
  }
  const page = drawPage(scale)
  writeFileSync(join(root, 'docs/scale.json'), `${JSON.stringify(scale, undefined, 2)}\n`)
  writeFileSync(join(root, 'docs/scale.md'), page)
  process.stdout.write(page)
  progress.say('wrote docs/scale.json and docs/scale.md')
}

const cluster = await startCluster(progress, { asUsual: true })
try {
  const server = await startNats(cluster, 'nats')
  const nats = await connectNats(server.port)
  await nats.createStream(STREAM)
  await nats.createConsumer(STREAM, CONSUMER)
  await publish(cluster)
  await install(cluster, 'claims')
  const contenders = [await run(cluster, nats, { name: manifest.name, process: FUNCTION, functionName })]
  write(contenders)
  if (values.peer !== undefined) {
    const [name = '', program = ''] = values.peer.split('=')
    await installPeer(cluster, name, program)
    write([...contenders, await run(cluster, nats, { name, process: name, functionName: name, composition: name })])
  }
  nats.close()
} finally {
  progress.end()
  await cluster.stop()
}
