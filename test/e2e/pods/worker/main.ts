// The worker of the tests on real pods. It is configured only by the variables that a claim injects; those of the test make it slow
// (WORK_MS), keep it answering after SIGTERM (DRAIN_MS), crash it (EXIT_CODE), fill its memory (ALLOCATE_MIB) or keep it unready
// (NEVER_READY). LEDGER is where it reports the events that it receives.
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { answerRequests } from './answer.ts'
import { pullMessages } from './pull.ts'

const { env } = process
const number = (name: string, otherwise = 0) => Number(env[name] || otherwise)
const log = (line: string) => console.log(line)
const identity = { pod: env.HOSTNAME ?? '', version: env.VERSION ?? env.OTEL_SERVICE_VERSION ?? '' }
const MEBIBYTE = 1024 * 1024
const TERMINATION_LOG = '/dev/termination-log'

async function main(): Promise<void> {
  log(`worker ${identity.version} starts in ${identity.pod}`)
  if (env.EXIT_CODE !== undefined) {
    writeFileSync(TERMINATION_LOG, 'the database does not answer')
    console.error('the database does not answer')
    process.exit(Number(env.EXIT_CODE))
  }
  const hoard: Buffer[] = []
  for (let filled = 0; filled < number('ALLOCATE_MIB'); filled += 16) hoard.push(Buffer.alloc(16 * MEBIBYTE, 1))

  const { NATS_URL: url, NATS_STREAM_NAME: stream, NATS_CONSUMER_GROUP: consumer } = env
  const source = { concurrency: number('CONCURRENCY', 1), done: env.DONE_SUBJECT ?? 'done' }
  const puller =
    url === undefined || stream === undefined || consumer === undefined
      ? undefined
      : pullMessages(
          { url, stream, consumer, ...source },
          async ({ payload, delivery }) => {
            const began = Date.now()
            await delay(number('WORK_MS'))
            log(`processed ${payload} (delivery ${delivery}, ${Date.now() - began} ms)`)
            return JSON.stringify({ id: payload, delivery, ...identity })
          },
          log,
        )
  const isReady = () => env.NEVER_READY === undefined && (puller?.isConnected() ?? true)
  const answering = answerRequests(number('PORT', 8080), identity, isReady, env.LEDGER)

  process.once('SIGTERM', async () => {
    log('stopping')
    await Promise.all([puller?.stop(), answering.stop(number('DRAIN_MS'))])
    log('stopped')
    process.exit(0)
  })
}

await main()
