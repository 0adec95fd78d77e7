// One control plane for all sections of a test file, with our packages installed as the docs say.
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Cluster, type NatsServer, startCluster, startNats, type Wanted } from '../cluster.ts'
import { installOnCrossplane1 } from '../crossplane-1.ts'
import { type Flavour, install, publish } from '../install.ts'
import { connectNats, type Nats } from '../nats.ts'

export interface Setting {
  readonly cluster: Cluster
  readonly flavour: Flavour
  /** The server that claims find where they name none; it knows no accounts. */
  readonly nats: Nats
  /** A second one, whose only account is SUPPORT. */
  readonly messaging: Nats
  readonly natsServer: NatsServer
}

export function withControlPlane(flavour: Flavour, wanted: Wanted = {}): () => Setting {
  let setting: Setting | undefined
  let cluster: Cluster | undefined
  let failed = false

  beforeAll(async () => {
    cluster = await startCluster({ say: line => process.stderr.write(`${line}\n`), begin: () => undefined }, wanted)
    try {
      const [natsServer, messaging] = await Promise.all([
        startNats(cluster, 'nats'),
        startNats(cluster, 'messaging', 'SUPPORT'),
        publish(cluster),
      ])
      await (wanted.crossplane === 1 ? installOnCrossplane1(cluster) : install(cluster, flavour))
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
      process.stderr.write(`something failed; the logs of the control plane are in ${cluster.processes.logs}\n`)
    await cluster?.stop({ keepLogs: failed })
  })
  return () => {
    if (setting === undefined) throw new Error('the control plane is not up')
    return setting
  }
}
