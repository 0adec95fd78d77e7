// Writes docs/worker-api.md: what the worker library exports, from its declarations.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generated } from './definition.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Entry {
  readonly name: string
  readonly file: string
  readonly about: string
  /** The declarations that come before the others. */
  readonly first?: readonly string[]
  /** The entry whose exports this one has as well. */
  readonly includes?: string
}

const library = '@event-driven-service/worker'
const cloudEvents = 'cloudevents/index.d.ts'

const entries: readonly Entry[] = [
  {
    name: library,
    file: 'index.d.ts',
    first: ['serve', 'ServeOptions', 'HandlerContext', 'Worker'],
    includes: cloudEvents,
    about: 'A worker of one function, and all of the next entry.',
  },
  { name: `${library}/cloudevents`, file: cloudEvents, about: 'CloudEvents alone.' },
  ...['express', 'fastify', 'hono'].map(framework => ({
    name: `${library}/${framework}`,
    file: `adapters/${framework}.d.ts`,
    first: ['cloudEvents'],
    about: `CloudEvents in an application of ${framework}.`,
  })),
]

interface Declaration {
  readonly name: string
  readonly comment: string
  readonly code: string
}

export function workerApi(): string {
  const folder = mkdtempSync(join(tmpdir(), 'worker-api-'))
  try {
    const compile = ['-p', 'worker/tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder]
    execFileSync(join(root, 'node_modules/.bin/tsc'), compile, { cwd: root, stdio: 'inherit' })
    return page(file => readFileSync(join(folder, file), 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const page = (
  read: (file: string) => string,
  all: readonly Entry[] = entries,
): string => `<!-- ${generated.replace('apis/definition.yaml', 'worker/src')} -->
# API of the worker library

The [README](../worker/README.md) shows how to use it, and [CloudEvents](cloudevents.md) has the formats.

${all.map(entry => entrySection(read, entry)).join('\n')}`

function entrySection(read: (file: string) => string, { name, file, about, first = [], includes }: Entry): string {
  const elsewhere = new Set(includes === undefined ? [] : exportsOf(read, includes).map(one => one.name))
  const own = exportsOf(read, file).filter(one => !elsewhere.has(one.name))
  const rank = ({ name }: Declaration) => (first.includes(name) ? first.indexOf(name) : first.length)
  const ordered = own.toSorted((a, b) => rank(a) - rank(b))
  return `## ${name}\n\n${about}\n\n${ordered.map(section).join('\n\n')}\n`
}

function section({ name, comment, code }: Declaration): string {
  if (comment === '') throw new Error(`${name} of the worker library has no comment`)
  return `### ${name}\n\n${comment}\n\n\`\`\`ts\n${code}\n\`\`\``
}

/** All that a module exports: first what it has from other modules. */
function exportsOf(read: (file: string) => string, file: string): readonly Declaration[] {
  const text = read(file)
  const reexports = [...text.matchAll(/^export (?:type )?(?:\*|\{([^}]*)\}) from '\.\/(.+)\.ts';$/gm)].flatMap(([, names, module]) => {
    const exported = exportsOf(read, join(dirname(file), `${module}.d.ts`))
    const wanted = names?.match(/[^,\s][^,]*/g)?.map(name => name.trim().replace(/^type /, ''))
    const missing = wanted?.filter(name => !exported.some(one => one.name === name)) ?? []
    if (missing.length > 0) throw new Error(`${file} exports ${missing.join(', ')}, which cannot be found`)
    return wanted === undefined ? exported : exported.filter(({ name }) => wanted.includes(name))
  })
  return [...reexports, ...declarationsOf(text)]
}

/** The compiler begins and ends each declaration and its comment at the start of a line. */
function declarationsOf(text: string): readonly Declaration[] {
  const declarations: Declaration[] = []
  const lines = text.split('\n')
  let comment: string[] = []
  while (lines.length > 0) {
    const line = lines.shift() ?? ''
    if (line.startsWith('/**'))
      comment = [line, ...(line.endsWith('*/') ? [] : lines.splice(0, lines.findIndex(one => one.endsWith('*/')) + 1))]
    const [, code, name] = /^export (?:declare )?((?:interface|class|type|const|function) (\w+).*)$/.exec(line) ?? []
    if (code === undefined || name === undefined) {
      if (/^export (?!\{|\*|type \{)/.test(line)) throw new Error(`cannot read the declaration ${line}`)
      if (/^[^ /]/.test(line)) comment = []
      continue
    }
    const rest = code.endsWith('{') ? lines.splice(0, lines.findIndex(one => /^\}(?:.*;)?$/.test(one)) + 1) : []
    declarations.push({ name, comment: prose(comment), code: [code, ...rest].join('\n').replaceAll('    ', '  ') })
    comment = []
  }
  return declarations
}

const prose = (comment: readonly string[]) =>
  comment
    .map(line => line.replace(/^\s*\/?\*+\/? ?|\s*\*\/$/g, ''))
    .join(' ')
    .trim()
