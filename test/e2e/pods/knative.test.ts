// Knative's data path with real pods: requests through Kourier and Envoy, and events through a Broker with the in-memory channel.
import { afterAll, beforeAll } from 'vitest'
import { createNamespace } from '../cluster/claim.ts'
import { NODE_ADDRESS } from '../node/addresses.ts'
import { installKnative } from '../node/knative.ts'
import { IMAGE, LEDGER_PORT, NAMESPACE } from './knative/claims.ts'
import { deliversEvents } from './knative/events.ts'
import { type Figures, tablesOf } from './knative/figures.ts'
import { answersRequests } from './knative/requests.ts'
import { changesRuntime } from './knative/runtime.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { withRealPods } from './setting.ts'
import { pushWorkers } from './worker/image.ts'

const setting = withRealPods()
const figures: Figures = { seconds: {}, losses: [] }
const given = () => ({ ...setting(), figures })
let ledger: Ledger | undefined
const openedLedger = () => {
  if (ledger === undefined) throw new Error('no ledger is open')
  return ledger
}

beforeAll(async () => {
  const { cluster } = given()
  const [, path = '', tag = ''] = /^[^/]+\/(.*):(.*)$/.exec(IMAGE) ?? []
  ledger = await openLedger(NODE_ADDRESS, LEDGER_PORT)
  await Promise.all([
    pushWorkers({ crane: cluster.programs.crane, folder: cluster.folder }, [{ repository: `${cluster.registry}/${path}`, tag }]),
    installKnative(cluster),
    createNamespace(cluster, NAMESPACE),
  ])
})
afterAll(() => {
  ledger?.close()
  console.log(tablesOf(figures))
})

answersRequests(given)
deliversEvents(given, openedLedger)
changesRuntime(given, openedLedger)
