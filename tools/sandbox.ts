// npm run sandbox: runs the control plane of the tests interactively. docs/sandbox.md
import { flags } from '../scripts/flags.ts'
import { painter } from '../src/cli/print/color.ts'
import { at, isObject, type JsonObject } from '../src/kubernetes/json.ts'
import { referenceTo } from '../test/e2e/cluster/api.ts'
import { API_VERSION, type ClaimManifest, createNamespace, KIND } from '../test/e2e/cluster/claim.ts'
import { type Cluster, type NatsServer, startCluster, startNats } from '../test/e2e/cluster/cluster.ts'
import { type Flavour, install, publish } from '../test/e2e/cluster/install.ts'
import { knativeVersions, startKnative } from '../test/e2e/cluster/knative.ts'
import { connectNats, type Nats } from '../test/e2e/cluster/nats.ts'
import { versions } from '../test/e2e/cluster/programs.ts'
import { createProgress } from '../test/e2e/cluster/progress.ts'
import { connectDoor, doorPorts } from '../test/e2e/node/doors.ts'
import { enterNamespaces } from '../test/e2e/node/enter.ts'
import { isInside } from '../test/e2e/node/environment.ts'
import { installKnative } from '../test/e2e/node/knative.ts'
import { pushProgram } from '../test/e2e/pods/images.ts'
import { type ApplyInput, manifestOf, readApplyInput, referredObjects, sourceOf } from './apply.ts'
import { blockerOf } from './claim-state.ts'

const help = `Usage: npm run sandbox [-- FLAGS]

Starts Crossplane with KEDA, NATS and this project on this machine, without Docker. The first start builds the programs, which
takes 12 to 36 minutes on two cores; later starts take half a minute. Needs Go, kubectl and nats-server.

      --namespaced   Install the namespaced API of Crossplane 2, without claims.
      --knative      Install Knative Serving and Eventing, for claims with runtime Knative or with eventing.
      --node         Run the pods, on a real node in namespaces of its own, instead of simulating them. Needs Linux and root.
      --apply FILE   Apply the claims of this file or folder, and create their streams, consumers, and empty Secrets and
                     ConfigMaps first.
                     The flag can be repeated.
  -h, --help         Print this help.

Example: npm run sandbox -- --apply examples/minimal-claim.yaml
`

const NATS_NAMESPACE = 'nats'
const POLL_MS = 1_000
const paint = painter({ color: process.stdout.isTTY === true && !process.env.NO_COLOR })
const print = (text: string) => process.stdout.write(`${text}\n`)
const time = () => paint('dim', new Date().toTimeString().slice(0, 8))

interface Messaging {
  /** Creates the stream and the consumer of the claim, on the server that the claim names. */
  readonly createStream: (claim: ClaimManifest) => Promise<void>
  /** The lag of the claim, or undefined if the sandbox does not have its stream. */
  readonly lagOf: (claim: ClaimManifest) => Promise<number | undefined>
  readonly close: () => void
}

/** A NATS server for each namespace that claims use; the first already exists and has no accounts. */
function createMessaging(cluster: Cluster, first: Nats): Messaging {
  const servers = new Map([[NATS_NAMESPACE, first]])
  const serverIn = async (namespace: string, account: string | undefined): Promise<Nats> => {
    const nats = servers.get(namespace) ?? (await connectNats(await startNats(cluster, namespace, account)))
    servers.set(namespace, nats)
    return nats
  }
  return {
    createStream: async claim => {
      const source = sourceOf(claim)
      if (source === undefined) return
      const { namespace, account, stream, consumer } = source
      if (namespace === undefined) {
        print(`${nameOf(claim)} has no stream: the sandbox cannot run a NATS server at the address in spec.nats`)
        return
      }
      const nats = await serverIn(namespace, account)
      await nats.createStream(stream)
      await nats.createConsumer(stream, consumer)
    },
    lagOf: async claim => {
      const source = sourceOf(claim)
      const nats = source?.namespace === undefined ? undefined : servers.get(source.namespace)
      return source === undefined ? undefined : await nats?.lag(source.stream, source.consumer)
    },
    close: () => {
      for (const nats of servers.values()) nats.close()
    },
  }
}

const nameOf = (object: JsonObject) => `${at(object, 'metadata', 'namespace')}/${at(object, 'metadata', 'name')}`

/** The image of the examples. */
const pushExampleImage = (cluster: Cluster) => pushProgram(cluster, 'hello.mjs', 'ghcr.io/acme/orders-worker:1.4.2')

/** Creates the missing Secrets and ConfigMaps of the claim. */
async function createReferred({ api }: Cluster, claim: ClaimManifest): Promise<void> {
  for (const object of referredObjects(claim)) {
    if ((await api.find(referenceTo(object))) !== undefined) continue
    await api.create(object)
    const data = object.stringData ?? object.data
    const keys = Object.keys(isObject(data) ? data : {})
    const isPullSecret = object.type !== undefined
    const content = isPullSecret ? 'no registry' : keys.length === 0 ? 'no keys' : `empty values for ${keys.join(', ')}`
    print(`created ${String(object.kind)} ${nameOf(object)} with ${content}`)
  }
}

async function applyAll(cluster: Cluster, messaging: Messaging, { claims, sources, skipped }: ApplyInput): Promise<void> {
  for (const line of skipped) print(line)
  const namespaces = new Set([...claims, ...sources].map(({ metadata }) => String(at(metadata, 'namespace'))))
  for (const namespace of namespaces) await createNamespace(cluster, namespace)
  for (const source of sources) await cluster.api.apply(source)
  for (const claim of claims) {
    await createReferred(cluster, claim)
    await messaging.createStream(claim)
  }
  if (claims.length === 0) return
  print((await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: claims }))).trimEnd())
}

function stateOf(claim: JsonObject): string {
  const blocker = blockerOf(claim)
  return blocker === undefined ? paint('green', 'ready') : paint('yellow', blocker)
}

/** The state of a claim in one line: its readiness with its replicas and lag, or with its URL for Knative. */
async function describe(messaging: Messaging, claim: JsonObject): Promise<string> {
  if (at(claim, 'spec', 'runtime') === 'Knative') return `${stateOf(claim)}  ${at(claim, 'status', 'url') ?? ''}`
  // Fails if the claim is invalid or its stream does not exist.
  const lag = await messaging.lagOf(manifestOf(claim)).catch(() => undefined)
  const replicas = Number(at(claim, 'status', 'workload', 'replicas') ?? 0)
  const count = `${replicas} ${replicas === 1 ? 'replica ' : 'replicas'} ${'▪'.repeat(Math.min(replicas, 40))}`
  return `${stateOf(claim)}  ${count}${lag === undefined ? '' : `  lag ${lag}`}`
}

/** Prints changes of the claims until it is stopped. */
function show({ api }: Cluster, messaging: Messaging): () => void {
  const shown = new Map<string, string>()
  const poll = async (): Promise<void> => {
    const claims = await api.list({ apiVersion: API_VERSION, kind: KIND })
    for (const claim of claims) {
      const line = await describe(messaging, claim)
      if (shown.get(nameOf(claim)) !== line) print(`${time()}  ${paint('bold', nameOf(claim))}  ${line}`)
      shown.set(nameOf(claim), line)
    }
    for (const name of shown.keys())
      if (!claims.some(claim => nameOf(claim) === name)) {
        print(`${time()}  ${paint('bold', name)}  deleted`)
        shown.delete(name)
      }
  }
  const polling = setInterval(() => void poll().catch(() => undefined), POLL_MS)
  const began = Date.now()
  const watch = api.watch({ apiVersion: 'v1', kind: 'Event' }, ({ type, object }) => {
    const isWarningOfClaim = at(object, 'involvedObject', 'kind') === KIND && object.type === 'Warning'
    const when = Date.parse(String(object.lastTimestamp ?? at(object, 'metadata', 'creationTimestamp')))
    if (type === 'DELETED' || !isWarningOfClaim || when < began - 1_000) return
    const { namespace, name } = object.involvedObject as { namespace: string; name: string }
    print(`${time()}  ${paint('bold', `${namespace}/${name}`)}  ${paint('yellow', String(object.reason))}  ${object.message}`)
  })
  return () => {
    clearInterval(polling)
    watch.stop()
  }
}

const WITHOUT_PODS = `all on 127.0.0.1. KWOK simulates the node and its
pods, which report Running but run nothing.`
const WITH_PODS = `all in namespaces of their own. Its pods run on
this machine, so they have only its CPUs and memory. ghcr.io/acme/orders-worker:1.4.2 exists; no other image of a claim does.`

function introduction({ kubeconfig, realPods }: Cluster, port: number, { knative }: { readonly knative: boolean }): string {
  const { kubernetes, crossplane, keda } = versions()
  const { serving, eventing } = knativeVersions()
  const command = (text: string) => paint('cyan', text)
  const requests = `  ${command('kubectl -n kourier-system port-forward service/kourier 8080:80 &')}
  ${command("curl -H 'Host: orders-worker.shop.example.com' http://localhost:8080")}
`
  const simulated = `with their real controllers and webhooks. The network layer and the
KafkaSource controller are simulated, so requests reach no service.`
  const withKnative = `
Knative Serving ${serving} and Eventing ${eventing} run ${realPods ? 'as pods, with Kourier.' : simulated} Change the runtime of a service, and back:

  ${command(`kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"runtime":"Knative","scaling":null}}'`)}
${realPods ? requests : ''}  ${command(`kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"runtime":"Deployment"}}'`)}
`
  return `
Kubernetes ${kubernetes} with Crossplane ${crossplane}, KEDA ${keda} and NATS, ${realPods ? WITH_PODS : WITHOUT_PODS}
In another terminal, in this folder:

  ${command(`export KUBECONFIG=${kubeconfig}`)}

Try this:

  ${command('kubectl create namespace shop; kubectl apply -f examples/minimal-claim.yaml')}
  ${command(`npm run messages -- ${port} ORDERS orders-workers 23`)}    then with ${command('drain')} instead of 23
  ${command(`kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"nats":{"stream":"NONE"}}}'`)}
      KEDA notices within 30 s. Then read the conditions of the claim:
      ${command('kubectl -n shop describe eventdrivenservice orders-worker')}
      Undo it, which KEDA also notices within 30 s:
      ${command(`kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"nats":{"stream":"ORDERS"}}}'`)}
${knative ? withKnative : ''}
Changes of the claims are printed here. Ctrl-C ends everything.
`
}

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
// npm and the terminal both send the signal of one Ctrl-C.
const SAME_SIGNAL_MS = 1_000

/** The exit code of the first signal. A later signal ends the process immediately, and the keeper ends its child processes. */
function interruption(): Promise<number> {
  return new Promise(resolve => {
    let first: number | undefined
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        if (first !== undefined && Date.now() - first > SAME_SIGNAL_MS) process.exit(exitCodes[signal])
        first ??= Date.now()
        resolve(exitCodes[signal])
      })
  })
}

/** Checks the input, builds everything, and runs this sandbox again where a real node can start. */
async function enter({ apply, knative }: { readonly apply: readonly string[]; readonly knative: boolean }): Promise<void> {
  await readApplyInput(apply)
  const command = [process.execPath, '--import', 'tsx', ...process.argv.slice(1)]
  process.exitCode = await enterNamespaces(command, createProgress(process.stderr), { doors: 2, knative })
}

/** A port of this machine's loopback for the NATS server. */
async function openNats({ host, port }: NatsServer, atEnd: (close: () => void) => void): Promise<number> {
  const [, door] = doorPorts()
  if (door === undefined) throw new Error('the namespaces have no second door')
  await connectDoor(door, host, port, atEnd)
  return door
}

async function main(): Promise<void> {
  const values = flags('npm run sandbox', {
    namespaced: { type: 'boolean', default: false },
    knative: { type: 'boolean', default: false },
    node: { type: 'boolean', default: false },
    apply: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', short: 'h', default: false },
  })
  if (values.help) return void process.stdout.write(help)
  if (values.node && !isInside()) return enter(values)
  const interrupted = interruption()
  const flavour: Flavour = values.namespaced ? 'namespaced' : 'claims'
  const progress = createProgress(process.stderr)
  const closing: (() => unknown)[] = [progress.end]
  let isUp = false

  const run = async (): Promise<number> => {
    const input = await readApplyInput(values.apply)
    progress.begin('starting')
    const cluster = await startCluster(progress, { realPods: values.node })
    closing.push(cluster.stop)
    const natsServer = await startNats(cluster, NATS_NAMESPACE)
    const nats = await connectNats(natsServer)
    const messaging = createMessaging(cluster, nats)
    closing.push(messaging.close)
    progress.begin('installing')
    await publish(cluster)
    await install(cluster, flavour)
    if (values.node) await pushExampleImage(cluster)
    if (values.knative) await (values.node ? installKnative(cluster) : startKnative(cluster, progress))
    // The stream and consumer of the commands in the introduction.
    await nats.createStream('ORDERS')
    await nats.createConsumer('ORDERS', 'orders-workers')
    progress.end()
    const port = values.node ? await openNats(natsServer, close => closing.push(close)) : natsServer.port
    print(introduction(cluster, port, values))
    isUp = true
    closing.push(show(cluster, messaging))
    await applyAll(cluster, messaging, input)
    return interrupted
  }

  try {
    const exitCode = await Promise.race([run(), interrupted])
    if (!isUp) process.exitCode = exitCode
  } finally {
    if (closing.length > 1) print('\nstopping …')
    for (const close of closing.reverse()) await close()
  }
}

await main().catch(error => {
  const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.message}` : ''
  process.stderr.write(`${error instanceof Error ? error.message : error}${cause}\n`)
  process.exitCode = 1
})
// An interrupted start ends here; the keeper ends the processes that it started.
process.exit()
