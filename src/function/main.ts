import { collectDefaultMetrics } from 'prom-client'
import manifest from '../../package.json' with { type: 'json' }
import { createForbiddenKinds } from './forbidden-kinds.ts'
import { createLog } from './log.ts'
import { help, type Options, parseOptions } from './options.ts'
import { sharingRunFunction } from './run-function.ts'
import { startServer } from './server.ts'

const EXIT_CANNOT_START = 1
const EXIT_BAD_FLAG = 2
// Well below the 30 s that a pod has for its termination.
const GRACE_MS = 10_000

async function serve(options: Options): Promise<void> {
  const log = createLog({ debugging: options.debug })
  try {
    const server = await startServer(sharingRunFunction(createForbiddenKinds()), options, log)
    collectDefaultMetrics({ register: server.metrics.registry })
    const { port, metricsPort } = server
    log.info('listening', { port, metricsPort, tls: options.certificatesDirectory !== undefined, version: manifest.version })

    const stop = async (signal: string) => {
      log.info('stopping', { signal })
      log.info('stopped', { calls: await server.stop(GRACE_MS) })
      process.exit(0)
    }
    // Once, so that a second signal ends the process immediately.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  } catch (error) {
    log.error('cannot start', { reason: error instanceof Error ? error.message : String(error) })
    process.exit(EXIT_CANNOT_START)
  }
}

const command = parseOptions(process.argv.slice(2), process.env)
switch (command.do) {
  case 'serve':
    await serve(command.options)
    break
  case 'print-help':
    process.stdout.write(help)
    break
  case 'print-version':
    process.stdout.write(`${manifest.version}\n`)
    break
  case 'refuse':
    process.stderr.write(`${command.problem}\nSee --help.\n`)
    process.exitCode = EXIT_BAD_FLAG
    break
  default:
    command satisfies never
}
