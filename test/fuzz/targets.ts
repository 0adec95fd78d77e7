// What is attacked, with what, and what has to hold whatever comes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { cesqlProblem } from '../../src/capabilities/knative-eventing/cesql.ts'
import { eds } from '../../src/cli/eds.ts'
import { createLog } from '../../src/function/log.ts'
import { runFunction } from '../../src/function/run-function.ts'
import { startServer } from '../../src/function/server.ts'
import { recorded } from '../cli/io.ts'
import { root } from '../fixtures/claim-files.ts'
import { calls, requests } from './calls.ts'
import { commandLines, setting } from './command-lines.ts'
import { found } from './found.ts'
import { unpolluted } from './hostile.ts'
import { encodings, manifests, schemas, texts } from './texts.ts'
import { answerTo, clientOf, requestOf, sound, wire } from './wire.ts'

export interface Target {
  readonly name: string
  /** Of all runs. */
  readonly share: number
  readonly attack: (runs: number, seed?: number) => Promise<fc.RunDetails<unknown>>
}

type Trial<T> = (value: T) => unknown

/** A target whose trial throws where something is wrong; `around` makes what the trial needs and takes it away again. */
function target<T>(
  name: string,
  share: number,
  arbitrary: fc.Arbitrary<T>,
  known: readonly T[],
  around: (use: (trial: Trial<T>) => Promise<fc.RunDetails<unknown>>) => Promise<fc.RunDetails<unknown>>,
): Target {
  const attack = (runs: number, seed?: number) =>
    around(
      trial =>
        fc.check(
          fc.asyncProperty(arbitrary, async value => {
            await trial(value)
            unpolluted()
          }),
          {
            numRuns: known.length + runs,
            ...(seed !== undefined && { seed }),
            examples: known.map((value): [T] => [value]),
            includeErrorInReport: true,
          },
        ) as Promise<fc.RunDetails<unknown>>,
    )
  return { name, share, attack }
}

/** In a folder of its own. */
async function inFolder<R>(use: (folder: string) => Promise<R>): Promise<R> {
  const [home, folder] = [process.cwd(), mkdtempSync(join(tmpdir(), 'fuzz-'))]
  process.chdir(folder)
  try {
    return await use(folder)
  } finally {
    process.chdir(home)
    rmSync(folder, { recursive: true })
  }
}

// What moves the cursor, colours, deletes, or turns the direction of writing. On standard output stands data, whose JSON
// leaves what came after ASCII as it is.
const OBEYED = /[^\P{Cc}\n\t\u007F-\u009F]/u
const OBEYED_OR_MISLEADING = /[^\P{Cc}\n\t]|[\u2028\u2029\u202A-\u202E\u2066-\u2069]/u

/** An exit code with a reason, never a stack, and nothing from a file that acts on the terminal. */
export async function answered(args: readonly string[], stdin: Uint8Array): Promise<void> {
  const { io, stdout, stderr } = recorded({ stdin })
  const code = await eds(args, io)
  const said = stdout() + stderr()
  if (![0, 1, 2].includes(code)) throw new Error(`exit code ${code}`)
  if (code !== 0 && said === '') throw new Error(`exit code ${code} without a word`)
  if (/\n {4}at \S/.test(said)) throw new Error(`a stack: ${said}`)
  if (OBEYED.test(stdout()) || OBEYED_OR_MISLEADING.test(stderr())) throw new Error(`what a terminal obeys: ${JSON.stringify(said)}`)
}

/** Damaged a thousand times each; to make one takes longer than to answer it. */
const captured = fc.constantFrom(...fc.sample(requests, { numRuns: 100, seed: 1 }))

const PLATFORM = 'platform.yaml'
const CLAIM = `${root}examples/full-claim.yaml`

const commands = fc.constantFrom(
  ...[
    ['validate'],
    ['validate', '--strict', '-o', 'sarif'],
    ['validate', '-o', 'junit'],
    ['validate', '-o', 'json'],
    ['validate', '-o', 'github'],
  ],
  ...[['render'], ['render', '-o', 'tree', '-n', 'x'], ['render', '-o', 'json', '--environment', 'production']],
  ...[['import', 'knative'], ['migrate'], ['migrate', '--adopt', '-o', 'json']],
  ...[
    ['validate', '--input', PLATFORM],
    ['render', '--observed', PLATFORM],
    ['validate', '--schema', PLATFORM],
  ],
)

/** Words and signs in any order; few of them make sense. */
const expressions = fc
  .array(
    fc.oneof(
      fc.constantFrom('a', 'b1', '1', '-1', "'x'", '"y"', "'", '%', 'LEFT(a, 1)', 'f_g(', '99999999999', '_', '\\', '\u0000'),
      fc.constantFrom('(', ')', ',', 'AND', 'or', 'NOT', 'IN (', 'LIKE', 'EXISTS', '=', '<>', '+', '-', '*', 'TRUE'),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 60 },
  )
  .chain(words => fc.constantFrom('', ' ').map(between => words.join(between)))

const importers = fc.constantFrom(['import', 'knative'], ['migrate'], ['migrate', '--adopt', '-o', 'json'])

export const targets: readonly Target[] = [
  target('a call in which anything is anything', 0.045, calls, found.calls, use => use(call => sound(answerTo(requestOf(call))))),
  target('bytes that may be a request', 0.9, wire(captured), [], use => use(bytes => sound(answerTo(Buffer.from(bytes))))),
  target('the server, and bytes that may be a request', 0.005, wire(captured), [], async use => {
    const settings = {
      certificatesDirectory: undefined,
      address: { host: '127.0.0.1', port: 0 },
      maxReceiveBytes: 4 * 1024 * 1024,
      metricsAddress: undefined,
    }
    const server = await startServer(
      runFunction,
      settings,
      createLog({ debugging: true }, () => {}),
    )
    const { send, close } = clientOf(server.port)
    const details = await use(async bytes => sound(await send(bytes)))
    close()
    await server.stop(0)
    return details
  }),
  target(
    'a file for the command line',
    0.04,
    fc.oneof(
      { weight: 7, arbitrary: fc.record({ command: commands, text: texts, encode: encodings }) },
      { weight: 2, arbitrary: fc.record({ command: importers, text: manifests, encode: fc.constant(Buffer.from) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          command: fc.constant(['validate', '--schema', PLATFORM, CLAIM]),
          text: schemas,
          encode: fc.constant(Buffer.from),
        }),
      },
    ),
    found.texts.flatMap(text =>
      [['validate'], ['render'], ['migrate'], ['import', 'knative']].map(command => ({ command, text, encode: Buffer.from })),
    ),
    use =>
      inFolder(() =>
        use(async ({ command, text, encode }) => {
          const bytes = encode(text)
          writeFileSync(PLATFORM, bytes)
          await answered(command, bytes)
        }),
      ),
  ),
  target('an expression of CloudEvents SQL', 0.1, expressions, [], use => use(cesqlProblem)),
  target('a command line', 0.01, commandLines, found.commandLines, use =>
    inFolder(folder => {
      setting(folder)
      return use(args => answered(args, Buffer.from('kind: x\n')))
    }),
  ),
]
