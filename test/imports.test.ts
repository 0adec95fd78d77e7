// Checks the import statements against the layers of the architecture.
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .map(name => `src/${name.replaceAll('\\', '/')}`)
  .filter(name => name.endsWith('.ts'))
  .sort()

/** The imports of a source file: our own files as paths from the root, packages by name. */
function importsOf(file: string, source: string): string[] {
  const statements =
    /(?:^|[\n;])\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"`]([^'"`]+)['"`]\s*\)|\brequire\(\s*['"]([^'"]+)['"]\s*\)/g
  return [...source.matchAll(statements)].map(([, plain, dynamic, required]) => {
    const name = plain ?? dynamic ?? required ?? ''
    return name.startsWith('.') ? posix.join(posix.dirname(file), name) : name
  })
}

const imports = new Map(files.map(file => [file, importsOf(file, readFileSync(`${root}${file}`, 'utf8'))]))

const kubernetes = /^src\/kubernetes\//
const text = /^src\/text\//
const generated = /^src\/claim\/generated\//
const claim = /^src\/claim\//
const platform = /^src\/platform\//
const schemas = /^schemas\/[a-z]+\.schema\.json$/
const claimTypes = /^src\/claim\/(resolved-claim|generated\/types)\.ts$/
/** What a capability's own checks are made of. */
const checks = /^src\/(claim\/(findings|checks|ports|layers)|platform\/platform)\.ts$/
const contract = /^src\/capabilities\/[a-z-]+\.ts$/
const list = /^src\/capabilities\/index\.ts$/
const workload = /^src\/capabilities\/workload\//
const capabilities = /^src\/capabilities\//
const reconcile = /^src\/reconcile\//
const convert = /^src\/convert\//
const lint = /^src\/lint\//
const shell = /^src\/(function|cli)\//
const packageJson = /^package\.json$/
const node = /^node:/
const foundation = [kubernetes, text]
const core = [...foundation, claim, platform, capabilities, reconcile]

/** The folders of capabilities. Each may use the workload, and none another. */
const capabilityNames = [
  ...new Set(files.flatMap(file => /^src\/capabilities\/([a-z-]+)\//.exec(file)?.[1] ?? []).filter(name => name !== 'workload')),
]

/** What a capability adds to eds import and eds doctor: only convert/ and cli/ use it. */
const importPart = /^src\/capabilities\/[a-z-]+\/import\.ts$/
const doctorPart = /^src\/capabilities\/[a-z-]+\/doctor\.ts$/

const layers: readonly { layer: string; files: RegExp; may: readonly RegExp[] }[] = [
  { layer: 'kubernetes', files: kubernetes, may: [kubernetes] },
  { layer: 'text', files: text, may: [text] },
  { layer: 'generated types', files: generated, may: [] },
  { layer: 'claim', files: claim, may: [claim, platform, ...foundation, /^ajv\//, /^@bufbuild\/cel$/] },
  { layer: 'platform', files: platform, may: [platform, claim, ...foundation, schemas] },
  {
    layer: 'the import of a capability',
    files: importPart,
    may: [
      claimTypes,
      checks,
      /^src\/claim\/resolve\.ts$/,
      /^src\/convert\/(containers|env|fields|files|identity|mesh|port-number|processing|size)\.ts$/,
      ...foundation,
    ],
  },
  {
    layer: 'the doctor of a capability',
    files: doctorPart,
    may: [claimTypes, checks, /^src\/cli\/doctor\//, ...foundation],
  },
  { layer: 'the list of capabilities', files: list, may: [claimTypes, capabilities, ...foundation] },
  { layer: 'the contract of capabilities', files: contract, may: [claimTypes, checks, contract, ...foundation] },
  { layer: 'the workload', files: workload, may: [claimTypes, checks, contract, workload, ...foundation] },
  ...capabilityNames.map(name => {
    const own = new RegExp(`^src/capabilities/${name}/`)
    return { layer: `capability ${name}`, files: own, may: [claimTypes, checks, contract, workload, own, ...foundation] }
  }),
  { layer: 'reconcile', files: reconcile, may: [...core, schemas] },
  { layer: 'convert', files: convert, may: [convert, ...core] },
  { layer: 'lint', files: lint, may: [lint, /^src\/claim\/findings\.ts$/, ...foundation] },
  {
    layer: 'function',
    files: /^src\/function\//,
    may: [
      /^src\/function\//,
      ...core,
      packageJson,
      node,
      /^@crossplane-org\/function-sdk-typescript$/,
      /^@grpc\/grpc-js$/,
      /^prom-client$/,
    ],
  },
  {
    layer: 'cli',
    files: /^src\/cli\//,
    may: [/^src\/cli\//, convert, lint, ...core, schemas, packageJson, node, /^yaml$/, /^js-yaml$/],
  },
]
const layerOf = (file: string) => layers.find(({ files }) => files.test(file))

test('every file belongs to a layer', () => expect(files.filter(file => layerOf(file) === undefined)).toEqual([]))

describe.each(layers)('$layer', ({ layer, may }) => {
  const own = files.filter(file => layerOf(file)?.layer === layer)
  test.each(own.map(file => ({ file })))('$file imports only what it may', ({ file }) => {
    expect((imports.get(file) ?? []).filter(name => !may.some(allowed => allowed.test(name)))).toEqual([])
  })
})

test('only convert/ imports the import of a capability, and only cli/ its doctor', () => {
  const importers = (part: RegExp) => files.filter(file => imports.get(file)?.some(name => part.test(name)))
  expect(importers(importPart).filter(file => !convert.test(file))).toEqual([])
  expect(importers(doctorPart).filter(file => !file.startsWith('src/cli/'))).toEqual([])
})

test('no two files of the core need one another', () => {
  const reaches = (from: string, seen = new Set<string>()): Set<string> => {
    for (const name of imports.get(from) ?? []) if (imports.has(name) && !seen.has(name)) reaches(name, seen.add(name))
    return seen
  }
  expect(files.filter(file => !shell.test(file) && !doctorPart.test(file) && reaches(file).has(file))).toEqual([])
})

test('the core does not read its environment', () => {
  const global =
    /\b(process|console|fetch|setTimeout|setInterval|performance|Buffer|require|__dirname)\s*[.([]|\bnew Date\b|\bDate\.now\b|\bMath\.random\b|\bimport\.meta\b/
  const source = (file: string) => readFileSync(`${root}${file}`, 'utf8').replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '')
  expect(files.filter(file => !shell.test(file) && !doctorPart.test(file) && global.test(source(file)))).toEqual([])
})

test('imports of Node modules have the prefix node:', () => {
  expect(
    [...imports].flatMap(([file, names]) => names.filter(name => builtinModules.includes(name)).map(name => `${file}: ${name}`)),
  ).toEqual([])
})

test.each([
  { says: 'a named import', source: "import { a } from './a.ts'", is: ['src/x/a.ts'] },
  { says: 'types', source: "import type { A } from '../a.ts'", is: ['src/a.ts'] },
  { says: 'over several lines', source: "import {\n  a,\n  type B,\n} from './a.ts'", is: ['src/x/a.ts'] },
  { says: 'everything', source: "import * as a from 'yaml'", is: ['yaml'] },
  { says: 'for its effect', source: "import 'node:fs'", is: ['node:fs'] },
  {
    says: 'an export',
    source: "export { a } from './a.ts'\nexport * from './b.ts'\nexport type { C } from './c.ts'",
    is: ['src/x/a.ts', 'src/x/b.ts', 'src/x/c.ts'],
  },
  { says: 'JSON', source: "import a from '../../a.json' with { type: 'json' }", is: ['a.json'] },
  { says: 'a dynamic import', source: "const a = await import('./a.ts')", is: ['src/x/a.ts'] },
  { says: 'no import', source: "const text = 'import x'\nexport const from = 'here'", is: [] },
])('finds the imports of $says', ({ source, is }) => expect(importsOf('src/x/y.ts', source)).toEqual(is))
