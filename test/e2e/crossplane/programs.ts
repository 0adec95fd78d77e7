// Runs the real Crossplane CLI and core, with our function as a process.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import { goTool } from '../go-tools.ts'

export const root = fileURLToPath(new URL('../../../', import.meta.url))

export interface Said {
  readonly code: number
  readonly output: string
  readonly errors: string
}

const run = promisify(execFile)

/** Runs a program until it exits, with any exit code. */
export async function say(program: string, args: readonly string[]): Promise<Said> {
  try {
    const { stdout, stderr } = await run(program, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 })
    return { code: 0, output: stdout, errors: stderr }
  } catch (error) {
    if (!(error instanceof Error) || !('stdout' in error && 'stderr' in error && 'code' in error) || typeof error.code !== 'number')
      throw error
    return { code: error.code, output: String(error.stdout), errors: String(error.stderr) }
  }
}

export const crossplane = async (...args: readonly string[]): Promise<Said> => say(await goTool('crossplane/cli'), args)

export interface Running {
  readonly port: number
  readonly stop: () => Promise<number | null>
}

/** Starts the function without TLS on a free port. */
export async function startFunction(): Promise<Running> {
  const args = ['--import', 'tsx', 'src/function/main.ts', '--insecure', '--address=127.0.0.1:0', '--metrics-address=']
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  for await (const line of createInterface({ input: child.stderr })) {
    const { msg, port } = JSON.parse(line) as { msg: string; port?: number }
    if (msg !== 'listening' || port === undefined) continue
    child.stderr.resume()
    const stop = () => {
      child.kill('SIGTERM')
      return ended
    }
    return { port, stop }
  }
  throw new Error('the function ended before it listened')
}

export const documents = (text: string): JsonObject[] =>
  parseAllDocuments(text)
    .map(document => document.toJS() as unknown)
    .filter(isObject)

export interface Flavour {
  readonly says: string
  readonly definition: string
  readonly composition: string
}

export const claims: Flavour = { says: 'claims', definition: 'apis/definition.yaml', composition: 'apis/composition.yaml' }
export const namespaced: Flavour = {
  says: 'namespaced',
  definition: 'apis/namespaced/definition.yaml',
  composition: 'apis/namespaced/composition.yaml',
}

/** Runs crossplane composition render with the function on this port. */
export async function render(port: number, flavour: Flavour, composite: string, ...flags: readonly string[]): Promise<Said> {
  return crossplane(
    ...['composition', 'render', composite, flavour.composition, 'examples/functions.yaml', '--xrd', flavour.definition],
    ...['--crossplane-binary', await goTool('crossplane/core')],
    ...['--function-annotations', `render.crossplane.io/runtime-development-target=dns:///127.0.0.1:${port}`, ...flags],
  )
}
