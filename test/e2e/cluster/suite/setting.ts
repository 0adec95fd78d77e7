// One control plane for all sections of a test file, with our packages installed like in the docs.
import { type Cluster, type ClusterOptions, type NatsServer, startNats } from '../cluster.ts'
import { clusterOfFile } from '../cluster-of-file.ts'
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

export const withControlPlane = (flavour: Flavour, options: ClusterOptions = {}): (() => Setting) =>
  clusterOfFile(
    options,
    async cluster => {
      const [natsServer, messaging] = await Promise.all([
        startNats(cluster, 'nats'),
        startNats(cluster, 'messaging', 'SUPPORT'),
        publish(cluster),
      ])
      await (options.crossplane === 1 ? installOnCrossplane1(cluster) : install(cluster, flavour))
      return { cluster, flavour, nats: await connectNats(natsServer.port), messaging: await connectNats(messaging.port), natsServer }
    },
    ({ nats, messaging }) => {
      nats.close()
      messaging.close()
    },
  )
