// Reads the claims of the examples.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { KIND } from '../../src/claim/identity.ts'
import { at, isObject, type JsonObject } from '../../src/kubernetes/json.ts'

export interface Example {
  /** The path from the root of the project. */
  readonly file: string
  readonly claim: JsonObject
  /** Whether the file contains no other claim. */
  readonly alone: boolean
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
      return claims.map(claim => ({ file, claim, alone: claims.length === 1 }))
    })
}
