// One cluster with real pods, git, Tekton, Shipwright and Flux for all files of the run.
import { type Cluster, startCluster, startNats } from '../cluster/cluster.ts'
import { onceForAllFiles, table } from '../cluster/cluster-of-run.ts'
import { install, publish } from '../cluster/install.ts'
import { connectNats, type Nats } from '../cluster/nats.ts'
import { toStandardError } from '../cluster/programs.ts'
import { startEngine } from './engine.ts'
import { type GitServer, startGitServer } from './git.ts'

export interface Setting {
  readonly cluster: Cluster
  readonly git: GitServer
  /** A client of the default server of claims. */
  readonly nats: Nats
}

async function start(): Promise<Setting> {
  const cluster = await startCluster(toStandardError, { realPods: true })
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

/** The cluster of the run, which the first call starts. */
export const withBuilds = onceForAllFiles(start)
