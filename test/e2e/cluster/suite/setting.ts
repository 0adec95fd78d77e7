// One control plane for all sections of a test file, with our packages installed like in the docs.
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Cluster, type ClusterOptions, type NatsServer, startCluster, startNats } from '../cluster.ts'
import { installOnCrossplane1 } from '../crossplane-1.ts'
import { type Flavour, install, publish } from '../install.ts'
import { connectNats, type Nats } from '../nats.ts'

export interface Setting {
  readonly cluster: Cluster
  readonly flavour: Flavour
  /** The default server of claims, without accounts. */
  readonly nats: Nats
  /** A second server, whose only account is SUPPORT. */
  readonly messaging: Nats
  readonly natsServer: NatsServer
}

export function withControlPlane(flavour: Flavour, options: ClusterOptions = {}): () => Setting {
  let setting: Setting | undefined
  let cluster: Cluster | undefined
  let failed = false

  beforeAll(async () => {
    cluster = await startCluster({ say: line => process.stderr.write(`${line}\n`), begin: () => undefined }, options)
    try {
      const [natsServer, messaging] = await Promise.all([
        startNats(cluster, 'nats'),
        startNats(cluster, 'messaging', 'SUPPORT'),
        publish(cluster),
      ])
      await (options.crossplane === 1 ? installOnCrossplane1(cluster) : install(cluster, flavour))
      setting = { cluster, flavour, nats: await connectNats(natsServer.port), messaging: await connectNats(messaging.port), natsServer }
    } catch (error) {
      failed = true
      throw error
    }
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') failed = true
  })
  afterAll(async () => {
    setting?.nats.close()
    setting?.messaging.close()
    if (failed && cluster !== undefined)
      process.stderr.write(`a test failed; the logs of the control plane are in ${cluster.processes.logs}\n`)
    await cluster?.stop({ keepLogs: failed })
  })
  return () => {
    if (setting === undefined) throw new Error('the control plane is not up')
    return setting
  }
}
