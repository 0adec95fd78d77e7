// Claims of runtime Deployment with real pods.
import { afterAll, beforeAll } from 'vitest'
import { saysWhatIsBroken } from './broken.ts'
import { keepFigures } from './figures.ts'
import { processesMessages } from './functional.ts'
import { migratesRunningPods } from './migration.ts'
import { isEnforced } from './security.ts'
import { withRealPods } from './setting.ts'
import { updatesUnderLoad } from './updates.ts'
import { publishWorkers } from './workers.ts'

const given = withRealPods()

beforeAll(async () => {
  const { cluster, nats } = given()
  await Promise.all([publishWorkers(cluster), nats.createStream('DONE')])
})
afterAll(keepFigures)

processesMessages(given)
updatesUnderLoad(given)
migratesRunningPods(given)
isEnforced(given)
saysWhatIsBroken(given)
