// One cluster with real pods for all files of the run, with our packages installed like in the docs. It ends with the run.
import { type Cluster, startCluster, startNats } from '../cluster/cluster.ts'
import { onceForAllFiles, table } from '../cluster/cluster-of-run.ts'
import { install, publish } from '../cluster/install.ts'
import { connectNats, type Nats } from '../cluster/nats.ts'
import { toStandardError } from '../cluster/programs.ts'

export interface Setting {
  readonly cluster: Cluster
  readonly flavour: 'claims'
  /** A client of the default server of claims. */
  readonly nats: Nats
}

async function start(): Promise<Setting> {
  const cluster = await startCluster(toStandardError, { realPods: true })
  try {
    const [server] = await Promise.all([startNats(cluster, 'nats'), publish(cluster)])
    await install(cluster, 'claims')
    process.stderr.write(`${table(cluster)}\n`)
    return { cluster, flavour: 'claims', nats: await connectNats(server) }
  } catch (error) {
    process.stderr.write(await cluster.kubectl(['get', 'pods', '--all-namespaces', '-o', 'wide']))
    throw error
  }
}

/** The cluster of the run, which the first call starts. */
export const withRealPods = onceForAllFiles(start)
