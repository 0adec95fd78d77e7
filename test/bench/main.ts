// npm run bench: figures, not verdicts. Compare ratios, because absolute numbers depend on the machine. Usage: README.md
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

/** Ends the program with one line if a --peer flag is invalid. */
function readPeers() {
  try {
    return options.peer.map(peer)
  } catch (error) {
    console.error(`npm run bench: ${error instanceof Error ? error.message : error}`)
    process.exit(2)
  }
}

const peers = readPeers()
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
  console.log('How the cost grows with the size of a claim:')
  printGrowth(figures.growth)
  console.log('Time of each stage of a call:')
  printSpent(figures.spent)
  return figures
}

async function processes() {
  console.log('\nEach function as a process, called over loopback by a client on the same cores; medians of the rounds.')
  for (const kind of kinds) console.log(`  ${kind}: ${meaning[kind]}`)
  const { measured, memory, busy } = await compareAll(programs, extent)
  printMeasured(measured)
  for (const { name } of peers) {
    console.log(`${own.name} as a share of ${name}:`)
    printRatios(measured, own.name, name)
  }
  printMemory(memory)
  if (busy.length > 0) {
    console.log('Ten thousand claims in turn, each called every 30 seconds, over TLS:')
    printBusy(busy)
  }
  return { measured, memory, busy }
}

async function startup() {
  const figures = { starts: await starts(programs), ...built() }
  const megabytes = (figures.bundleBytes / 1024 / 1024).toFixed(2)
  console.log(`The bundle has ${megabytes} MB and is version ${figures.version}. From start to the first response, over TLS:`)
  printStarts(figures.starts)
  return figures
}

const result = {
  machine,
  programs: programs.map(({ name, version }) => ({ name, version })),
  ...(!options.quick && { core: core() }),
  ...(!options.quick && (await startup())),
  ...(await processes()),
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`)
