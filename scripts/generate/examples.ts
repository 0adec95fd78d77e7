// Reads the claims of the examples.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'
import { KIND } from '../../src/claim/identity.ts'
import { at, isObject, type JsonObject } from '../../src/kubernetes/json.ts'
import { type ParsedPlatform, parsePlatform } from '../../src/platform/platform.ts'

export interface Example {
  /** The path from the root of the project. */
  readonly file: string
  readonly claim: JsonObject
  /** Whether the file contains no other claim. */
  readonly alone: boolean
  /** The platform input that the claim needs, if its folder has one. */
  readonly input?: JsonObject
}

const root = new URL('../../', import.meta.url)

export function exampleClaims(): Example[] {
  return readdirSync(fileURLToPath(new URL('examples', root)), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.yaml'))
    .sort()
    .flatMap(name => {
      const file = `examples/${name}`
      const claims = parseAllDocuments(readFileSync(new URL(file, root), 'utf8'))
        .map(document => document.toJS() as unknown)
        .filter((value): value is JsonObject => isObject(value) && at(value, 'kind') === KIND)
      const input = inputBeside(file)
      return claims.map(claim => ({ file, claim, alone: claims.length === 1, ...(input && { input }) }))
    })
}

/** The examples of examples/ itself need none: its input only shows one. */
function inputBeside(file: string): JsonObject | undefined {
  const folder = file.slice(0, file.lastIndexOf('/'))
  const input = new URL(`${folder}/platform-input.yaml`, root)
  return folder === 'examples' || !existsSync(input) ? undefined : (parse(readFileSync(input, 'utf8')) as JsonObject)
}

/** The platform of an example. */
export function platformOf({ file, input }: Pick<Example, 'file' | 'input'>): Extract<ParsedPlatform, { ok: true }>['platform'] {
  const parsed = parsePlatform(input)
  if (!parsed.ok) throw new Error(`the input of ${file} is invalid: ${JSON.stringify(parsed.findings)}`)
  return parsed.platform
}
