// The measured programs: this function, and others that render the same resources.
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { root } from '../fixtures/claim-files.ts'

export interface Program {
  readonly name: string
  readonly version: string
  readonly command: string
  readonly args: readonly string[]
  /** The input of its pipeline step. */
  readonly input: JsonObject
}

const read = (file: string) => parse(readFileSync(file, 'utf8')) as JsonObject

const bundle = `${root}dist/function.js`

export const own: Program = {
  name: manifest.name,
  version: manifest.version,
  command: process.execPath,
  // The flags of the image.
  args: ['--max-semi-space-size=8', bundle, '--metrics-address', ''],
  input: at(read(`${root}apis/composition.yaml`), 'spec', 'pipeline', 0, 'input') as JsonObject,
}

/** The size of the bundle, and the version that it prints. */
export function built() {
  const version = execFileSync(own.command, [bundle, '--version'], { encoding: 'utf8' }).trim()
  return { bundleBytes: statSync(bundle).size, version }
}

/** Go embeds the module version in each program. */
const versionOf = (program: string) => /\nmod\t\S+\t(\S+)/.exec(readFileSync(program, 'latin1'))?.[1] ?? 'unknown'

/** Parses `NAME=PATH`, whose input is in peers/NAME.yaml. Throws an error that names the problem. */
export function peer(flag: string): Program {
  const [, name, command] = /^([a-z0-9-]+)=(.+)$/.exec(flag) ?? []
  if (name === undefined || command === undefined) throw new Error(`--peer: must be NAME=PATH, got '${flag}'`)
  const input = fileURLToPath(new URL(`peers/${name}.yaml`, import.meta.url))
  if (!existsSync(input)) throw new Error(`--peer: test/bench/peers/${name}.yaml with the input of ${name} does not exist`)
  if (!isProgram(command)) throw new Error(`--peer: ${command} is not an executable file`)
  return { name, version: versionOf(command), command, args: [], input: read(input) }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
