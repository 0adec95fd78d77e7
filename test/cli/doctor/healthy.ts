// A cluster that has everything for the claim shop/orders-worker.
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { type Answers, changed, paths, readyPod } from './cluster.ts'

export const ENDPOINT = 'nats-headless.nats.svc.cluster.local:8222'
export const JSZ = '/api/v1/namespaces/nats/services/nats-headless:8222/proxy'
export const account = (name: string, ...streams: JsonObject[]) => ({ name, id: name, stream_detail: streams })
export const config = { ack_policy: 'explicit', ack_wait: 30_000_000_000, max_ack_pending: 1000, max_deliver: 5 }
export const stream = (name: string, ...consumers: string[]) => ({
  name,
  consumer_detail: consumers.map(consumer => ({ name: consumer, config })),
})
export const ask = (wanted: string) => `${JSZ}/jsz?acc=${encodeURIComponent(wanted)}&consumers=true&config=true`
export const ASK = ask('$G')

/** NATS as its chart installs it, with the stream of the claim. */
const nats: Answers = {
  [paths.service('nats-headless')]: { spec: { clusterIP: 'None', ports: [{ port: 4222 }, { port: 8222 }] } },
  [paths.services]: {
    items: [
      { metadata: { name: 'nats' }, spec: { ports: [{ port: 4222 }] } },
      { metadata: { name: 'nats-headless' }, spec: { ports: [{ port: 4222 }, { port: 8222 }] } },
    ],
  },
  [`${JSZ}/healthz?js-enabled-only=true`]: { status: 'ok' },
  [`${JSZ}/jsz`]: { streams: 1 },
  [ASK]: { account_details: [account('$G', stream('ORDERS', 'orders-workers'))] },
}
const inCluster = changed(paths.claim, text => text.replace('127.0.0.1:8222', ENDPOINT))
const kedaRelease = changed(paths.keda, text => text.replace('keda:main', 'keda:2.17.0'))
const namespaces: Answers = { '/api/v1/namespaces/shop': {}, '/api/v1/namespaces/elsewhere': {} }
const pods: Answers = { [paths.pods]: { items: [readyPod('orders-worker-6d4cf56db6-x7k2p')] } }
export const healthy: Answers = { ...nats, ...inCluster, ...kedaRelease, ...namespaces, ...pods }
