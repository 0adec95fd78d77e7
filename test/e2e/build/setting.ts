// One cluster with real pods, git, Tekton, Shipwright and Flux for all files of the run.
import { afterAll, beforeAll } from 'vitest'
import { type Cluster, startCluster, startNats } from '../cluster/cluster.ts'
import { install, publish } from '../cluster/install.ts'
import { connectNats, type Nats } from '../cluster/nats.ts'
import { startEngine } from './engine.ts'
import { type GitServer, startGitServer } from './git.ts'

export interface Setting {
  readonly cluster: Cluster
  readonly git: GitServer
  /** A client of the default server of claims. */
  readonly nats: Nats
}

async function start(): Promise<Setting> {
  const cluster = await startCluster({ say: line => process.stderr.write(`${line}\n`), begin: () => undefined }, { realPods: true })
  try {
    const [git, server] = await Promise.all([
      startGitServer(cluster),
      startNats(cluster, 'nats'),
      startEngine(cluster),
      publish(cluster).then(() => install(cluster, 'claims')),
    ])
    process.stderr.write(`${table(cluster)}\n`)
    return { cluster, git, nats: await connectNats(server) }
  } catch (error) {
    process.stderr.write(await cluster.kubectl(['get', 'pods', '--all-namespaces', '-o', 'wide']))
    throw error
  }
}

const table = ({ stages }: Cluster): string =>
  ['seconds  stage', ...stages.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)}  ${name}`)].join('\n')

let starting: Promise<Setting> | undefined

/** The cluster of the run, which the first call starts. */
export function withBuilds(): () => Setting {
  let setting: Setting | undefined
  beforeAll(async () => {
    starting ??= start()
    setting = await starting
  })
  afterAll(() => setting?.cluster.processes.check())
  return () => {
    if (setting === undefined) throw new Error('the cluster is not up')
    return setting
  }
}
