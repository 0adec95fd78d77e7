// npm run bench: figures, not verdicts. Compare ratios; absolute numbers belong to the machine. README.md says how to run it.
import { writeFileSync } from 'node:fs'
import { flags } from '../../scripts/flags.ts'
import { kinds, meaning } from './calls.ts'
import { examples, growth, spent } from './core.ts'
import { compareAll, type Extent, starts } from './functions.ts'
import { printBusy, printExamples, printGrowth, printMeasured, printMemory, printRatios, printSpent, printStarts } from './print.ts'
import { machine } from './proc.ts'
import { built, own, peer } from './programs.ts'

const options = flags('npm run bench', {
  quick: { type: 'boolean', default: false },
  peer: { type: 'string', multiple: true, default: [] },
  json: { type: 'string' },
})

/** Where one of them makes no sense it is said in a line. */
function askedPeers() {
  try {
    return options.peer.map(peer)
  } catch (error) {
    console.error(`npm run bench: ${error instanceof Error ? error.message : error}`)
    process.exit(2)
  }
}

const peers = askedPeers()
const programs = [own, ...peers]
const extent: Extent = options.quick
  ? { transports: ['plaintext'], inFlight: [8] }
  : { transports: ['plaintext', 'TLS'], inFlight: [1, 8, 64] }

console.log(`${machine.cores} × ${machine.cpu}, Node ${machine.node}`)
for (const { name, version } of programs) console.log(`${name} ${version}`)

function core() {
  const figures = { examples: examples(), growth: growth(), spent: spent() }
  console.log('\nThe core in process, CPU for one call:')
  printExamples(figures.examples)
  console.log('How the cost grows with what a claim holds:')
  printGrowth(figures.growth)
  console.log('Where a call spends its time:')
  printSpent(figures.spent)
  return figures
}

async function processes() {
  console.log('\nEach function as a process, asked over loopback by a client on the same cores; medians of rounds in turn.')
  for (const kind of kinds) console.log(`  ${kind}: ${meaning[kind]}`)
  const { measured, memory, busy } = await compareAll(programs, extent)
  printMeasured(measured)
  for (const { name } of peers) {
    console.log(`${own.name} as a share of ${name}:`)
    printRatios(measured, own.name, name)
  }
  printMemory(memory)
  if (busy.length > 0) {
    console.log('Ten thousand claims in turn, each asked for every 30 seconds, over TLS:')
    printBusy(busy)
  }
  return { measured, memory, busy }
}

async function beginnings() {
  const figures = { starts: await starts(programs), ...built() }
  const megabytes = (figures.bundleBytes / 1024 / 1024).toFixed(2)
  console.log(`The bundle has ${megabytes} MB, and --version says ${figures.version}. From start to serving, over TLS:`)
  printStarts(figures.starts)
  return figures
}

const result = {
  machine,
  programs: programs.map(({ name, version }) => ({ name, version })),
  ...(!options.quick && { core: core() }),
  ...(!options.quick && (await beginnings())),
  ...(await processes()),
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`)
