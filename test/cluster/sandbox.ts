// npm run sandbox: the control plane of the tests, for people. docs/sandbox.md
import { flags } from '../../scripts/flags.ts'
import { painter } from '../../src/cli/print/color.ts'
import { at, type JsonObject } from '../../src/json.ts'
import { condition } from '../../src/resources/parts.ts'
import { API_VERSION, KIND } from './claim.ts'
import { type Cluster, type NatsServer, startCluster, startNats } from './cluster.ts'
import { type Flavour, install, publish } from './install.ts'
import { knativeVersions, startKnative } from './knative.ts'
import { connectNats, type Nats } from './nats.ts'
import { versions } from './programs.ts'
import { createProgress } from './progress.ts'

const help = `Usage: npm run sandbox [-- FLAGS]

A Crossplane with KEDA and NATS on this machine, without Docker, and this project installed in it. The first time its programs
are built, which takes some minutes; from then on it is up in seconds. Needs Go, kubectl and nats-server.

      --namespaced   The API as Crossplane 2 has it, without claims.
      --knative      Knative Serving and Eventing too, for claims with runtime Knative or with eventing.
      --apply FILE   Apply this claim or folder, and make its stream and consumer; again for more.
  -h, --help         Print this.

Example: npm run sandbox -- --apply examples/minimal-claim.yaml
`

const LOOK_EVERY_MS = 1_000
const paint = painter(process.stdout.isTTY === true && !process.env.NO_COLOR)
const print = (text: string) => process.stdout.write(`${text}\n`)
const time = () => paint('dim', new Date().toTimeString().slice(0, 8))

/** The streams that the claims in a file ask for, so that they have something to scale on. */
async function feed(nats: Nats, claim: JsonObject): Promise<void> {
  const [stream, consumer] = [at(claim, 'spec', 'nats', 'stream'), at(claim, 'spec', 'nats', 'consumer')]
  if (typeof stream !== 'string' || typeof consumer !== 'string') return
  await nats.createStream(stream)
  await nats.createConsumer(stream, consumer)
}

async function applyFiles(cluster: Cluster, nats: Nats, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const objects = JSON.parse(await cluster.kubectl(['create', '--dry-run=client', '-o', 'json', '-f', file])) as JsonObject
    const claims = (Array.isArray(objects.items) ? objects.items : [objects]) as JsonObject[]
    for (const claim of claims) {
      const namespace = at(claim, 'metadata', 'namespace')
      if (typeof namespace === 'string') await cluster.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
      await feed(nats, claim)
    }
    process.stdout.write(await cluster.kubectl(['apply', '-f', file]))
  }
}

function stateOf(claim: JsonObject): string {
  const ready = condition(claim, 'Ready')
  if (ready?.status === 'True') return paint('green', 'ready')
  const blocked = ['WorkloadReady', 'ScalingReady', 'EventingReady']
    .map(type => condition(claim, type))
    .find(own => own?.status === 'False')
  return paint('yellow', blocked?.reason ?? ready?.reason ?? 'new')
}

/** A line for each change of a claim: whether it is ready, its replicas, its lag, or where Knative serves it. */
async function describe(nats: Nats, claim: JsonObject): Promise<string> {
  if (at(claim, 'spec', 'runtime') === 'Knative') return `${stateOf(claim)}  ${at(claim, 'status', 'url') ?? ''}`
  const [stream, consumer] = [at(claim, 'spec', 'nats', 'stream'), at(claim, 'spec', 'nats', 'consumer')]
  const lag = await nats.lag(String(stream), String(consumer)).catch(() => undefined)
  const replicas = Number(at(claim, 'status', 'workload', 'replicas') ?? 0)
  const count = `${replicas} ${replicas === 1 ? 'replica ' : 'replicas'} ${'▪'.repeat(Math.min(replicas, 40))}`
  return `${stateOf(claim)}  ${count}${lag === undefined ? '' : `  lag ${lag}`}`
}

/** Shows what becomes of the claims until it is stopped. */
function show({ api }: Cluster, nats: Nats): () => void {
  const shown = new Map<string, string>()
  const nameOf = (object: JsonObject) => `${at(object, 'metadata', 'namespace')}/${at(object, 'metadata', 'name')}`
  const look = async (): Promise<void> => {
    const claims = await api.list({ apiVersion: API_VERSION, kind: KIND })
    for (const claim of claims) {
      const line = await describe(nats, claim)
      if (shown.get(nameOf(claim)) !== line) print(`${time()}  ${paint('bold', nameOf(claim))}  ${line}`)
      shown.set(nameOf(claim), line)
    }
    for (const name of shown.keys())
      if (!claims.some(claim => nameOf(claim) === name)) {
        print(`${time()}  ${paint('bold', name)}  gone`)
        shown.delete(name)
      }
  }
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS)
  const began = Date.now()
  const watch = api.watch({ apiVersion: 'v1', kind: 'Event' }, ({ type, object }) => {
    const isOurs = at(object, 'involvedObject', 'kind') === KIND && object.type === 'Warning'
    const when = Date.parse(String(object.lastTimestamp ?? at(object, 'metadata', 'creationTimestamp')))
    if (type === 'DELETED' || !isOurs || when < began - 1_000) return
    const { namespace, name } = object.involvedObject as { namespace: string; name: string }
    print(`${time()}  ${paint('bold', `${namespace}/${name}`)}  ${paint('yellow', String(object.reason))}  ${object.message}`)
  })
  return () => {
    clearInterval(looking)
    watch.stop()
  }
}

function introduce({ kubeconfig }: Cluster, { port }: NatsServer, knative: boolean): string {
  const { kubernetes, crossplane, keda } = versions()
  const { serving, eventing } = knativeVersions()
  const command = (text: string) => paint('cyan', text)
  const withKnative = `
Knative Serving ${serving} and Eventing ${eventing} are their own controllers and webhooks; its network layer and the controller of
KafkaSources are played, so no request goes anywhere. To see a service change its runtime, and back:

  ${command(`kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"runtime":"Knative","scaling":null}}'`)}
  ${command(`kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"runtime":"Deployment"}}'`)}
`
  return `
Kubernetes ${kubernetes} with Crossplane ${crossplane}, KEDA ${keda} and NATS, all on 127.0.0.1. KWOK plays the node and its pods:
they are Running because it says so, and run nothing. In another terminal, in this folder:

  ${command(`export KUBECONFIG=${kubeconfig}`)}

Three things to try:

  ${command('kubectl create namespace shop; kubectl apply -f examples/minimal-claim.yaml')}
  ${command(`npm run messages -- ${port} ORDERS orders-workers 23`)}    and then: ${command('drain')} instead of 23
  ${command(`kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"nats":{"stream":"NONE"}}}'`)}
      and read what it says: ${command('kubectl -n shop describe eventdrivenservice orders-worker')}
${knative ? withKnative : ''}
What happens to the claims shows here. Ctrl-C ends everything.
`
}

async function main(): Promise<void> {
  const values = flags('npm run sandbox', {
    namespaced: { type: 'boolean', default: false },
    knative: { type: 'boolean', default: false },
    apply: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', short: 'h', default: false },
  })
  if (values.help) return void process.stdout.write(help)
  const flavour: Flavour = values.namespaced ? 'namespaced' : 'claims'
  const progress = createProgress(process.stderr)
  let cluster: Cluster | undefined
  let isInterrupted = false
  const interrupted = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        isInterrupted = true
        resolve()
        // While it still starts there is nobody to end it in order; the keeper does.
        if (cluster === undefined) process.exit(130)
      })
  })
  try {
    progress.begin('starting')
    cluster = await startCluster(progress)
    const natsServer = await startNats(cluster, 'nats')
    const nats = await connectNats(natsServer.port)
    progress.begin('installing')
    await publish(cluster)
    await install(cluster, flavour)
    if (values.knative) await startKnative(cluster, progress)
    await feed(nats, { spec: { nats: { stream: 'ORDERS', consumer: 'orders-workers' } } })
    progress.end()
    print(introduce(cluster, natsServer, values.knative))
    const stopShowing = show(cluster, nats)
    await applyFiles(cluster, nats, values.apply)
    await interrupted
    stopShowing()
    nats.close()
    print('\nstopping …')
  } catch (error) {
    if (!isInterrupted) throw error
  } finally {
    progress.end()
    await cluster?.stop()
  }
}

await main().catch(error => {
  const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.message}` : ''
  process.stderr.write(`${error instanceof Error ? error.message : error}${cause}\n`)
  process.exitCode = 1
})
