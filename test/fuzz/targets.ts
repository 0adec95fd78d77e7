// The targets of the fuzz tests: the code, its inputs, and the properties that must hold.
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
import { commandLines, createFiles } from './command-lines.ts'
import { found } from './found.ts'
import { requireCleanPrototypes } from './hostile.ts'
import { encodings, manifests, schemas, texts } from './texts.ts'
import { answerTo, clientOf, requestOf, requireNoInternalError, wire } from './wire.ts'

export interface Target {
  readonly name: string
  /** The share of all runs. */
  readonly share: number
  readonly attack: (runs: number, seed?: number) => Promise<fc.RunDetails<unknown>>
}

type Trial<T> = (value: T) => unknown

/** A target whose trial throws if a property is violated; `around` sets up the trial and cleans up. */
function target<T>(
  name: string,
  share: number,
  arbitrary: fc.Arbitrary<T>,
  regressions: readonly T[],
  around: (use: (trial: Trial<T>) => Promise<fc.RunDetails<unknown>>) => Promise<fc.RunDetails<unknown>>,
): Target {
  const attack = (runs: number, seed?: number) =>
    around(
      trial =>
        fc.check(
          fc.asyncProperty(arbitrary, async value => {
            await trial(value)
            requireCleanPrototypes()
          }),
          {
            numRuns: regressions.length + runs,
            ...(seed !== undefined && { seed }),
            examples: regressions.map((value): [T] => [value]),
            includeErrorInReport: true,
          },
        ) as Promise<fc.RunDetails<unknown>>,
    )
  return { name, share, attack }
}

/** Runs a function in a temporary working directory. */
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

// Characters that move the cursor, color or delete text, or change the writing direction. JSON on standard output may contain
// those beyond ASCII.
const CONTROL = /[^\P{Cc}\n\t\u007F-\u009F]/u
const CONTROL_OR_MISLEADING = /[^\P{Cc}\n\t]|[\u2028\u2029\u202A-\u202E\u2066-\u2069]/u

/** Throws unless eds exits with a valid code and a reason, without a stack trace and without control characters. */
export async function requireAnswer(args: readonly string[], stdin: Uint8Array): Promise<void> {
  const { io, stdout, stderr } = recorded({ stdin })
  const code = await eds(args, io)
  const output = stdout() + stderr()
  if (![0, 1, 2].includes(code)) throw new Error(`exit code ${code}`)
  if (code !== 0 && output === '') throw new Error(`exit code ${code} without any output`)
  if (/\n {4}at \S/.test(output)) throw new Error(`a stack trace: ${output}`)
  if (CONTROL.test(stdout()) || CONTROL_OR_MISLEADING.test(stderr())) throw new Error(`a control character: ${JSON.stringify(output)}`)
}

/** Requests to damage, generated once because generating one takes longer than answering it. */
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

/** Words and characters in any order, most of them invalid expressions. */
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
  target('a call with any values', 0.045, calls, found.calls, use => use(call => requireNoInternalError(answerTo(requestOf(call))))),
  target('the bytes of a request, damaged or random', 0.9, wire(captured), [], use =>
    use(bytes => requireNoInternalError(answerTo(Buffer.from(bytes)))),
  ),
  target('bytes sent to a server', 0.005, wire(captured), [], async use => {
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
    const details = await use(async bytes => requireNoInternalError(await send(bytes)))
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
          await requireAnswer(command, bytes)
        }),
      ),
  ),
  target('an expression of CloudEvents SQL', 0.1, expressions, [], use => use(cesqlProblem)),
  target('a command line', 0.01, commandLines, found.commandLines, use =>
    inFolder(folder => {
      createFiles(folder)
      return use(args => requireAnswer(args, Buffer.from('kind: x\n')))
    }),
  ),
]
