// What a run saw. It prints its figures, and with `UPDATE_PODS=true npm run test:pods` also keeps them in docs/pods.md.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { draw, type Sample } from '../../../tools/draw.ts'
import { root } from '../../fixtures/claim-files.ts'
import { type Loss, tableOf } from './load.ts'
import { type Seconds, stagesTable } from './stages.ts'

/** A cause of trouble, and the words for it. */
export interface Words {
  readonly cause: string
  readonly claim: string
  readonly doctor: string
}

export interface Figures {
  readonly stages: Record<string, Seconds>
  /** Single durations by what they measure. */
  readonly seconds: Record<string, number>
  readonly losses: Loss[]
  readonly words: Words[]
  readonly samples: Sample[]
}

/** Those of this run, from all its files. */
export const figures: Figures = { stages: {}, seconds: {}, losses: [], words: [], samples: [] }

const PAGE = join(root, 'docs/pods.md')
const updates = process.env.UPDATE_PODS === 'true'

/** Prints the section, and replaces it in the documentation if asked. */
export function keepSection(name: string, content: string): void {
  console.log(`${name}:\n${content}\n`)
  if (!updates) return
  const page = readFileSync(PAGE, 'utf8')
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`docs/pods.md has no section ${name}`)
  writeFileSync(PAGE, `${before}${begin}\n${content}\n${end}${after}`)
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.map(cell).join(' | ')} |`).join('\n')

const OF_TESTS = ['the tests', 'esbuild']

/** The resident memory of all programs of the node in MB, the largest first. */
function memory(): Readonly<Record<string, number>> {
  const found = readdirSync('/proc').flatMap(pid => {
    try {
      const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return kilobytes === undefined ? [] : [{ program: programOf(command), megabytes: Number(kilobytes) / 1024 }]
    } catch {
      return []
    }
  })
  const sums = new Map<string, { count: number; megabytes: number }>()
  for (const { program, megabytes } of found) {
    const { count, megabytes: sum } = sums.get(program) ?? { count: 0, megabytes: 0 }
    sums.set(program, { count: count + 1, megabytes: sum + megabytes })
  }
  const least = 5
  return Object.fromEntries(
    [...sums]
      .filter(([program, { megabytes }]) => megabytes > least && !OF_TESTS.includes(program))
      .sort(([, a], [, b]) => b.megabytes - a.megabytes)
      .map(([program, { count, megabytes }]) => [count === 1 ? program : `${program} × ${count}`, megabytes]),
  )
}

/** The function and the worker are scripts of Node. */
function programOf([program = '', ...args]: readonly string[]): string {
  const name = basename(program)
    .replace(/^cluster-programs-(?:kubernetes-)?/, '')
    .replace(/-[0-9a-f]{16}$/, '')
  const script = args.find(arg => /\.m?js$/.test(arg))
  if (name === 'node' && script !== undefined && dirname(script) === '/') return basename(script).replace(/\.m?js$/, '')
  return name === 'node' ? 'the tests' : name
}

/** Prints or keeps all figures of the suites for Deployments. */
export function keepFigures(): void {
  const { stages, seconds, losses, words, samples } = figures
  const sorted = (counts: Readonly<Record<string, number>>) => Object.entries(counts).map(([what, count]) => [what, count.toFixed(1)])
  keepSection('stages', stagesTable(stages))
  keepSection('seconds', table(['', 'seconds'], sorted(seconds)))
  keepSection('memory', table(['program', 'MB'], sorted(memory())))
  keepSection('losses', tableOf(losses))
  keepSection(
    'words',
    table(
      ['cause', 'the claim', '`eds doctor`'],
      words.map(({ cause, claim, doctor }) => [cause, claim, doctor]),
    ),
  )
  if (updates && samples.length > 0) writeFileSync(join(root, 'docs/pods.svg'), draw(samples, 'npm run test:pods: one node, real pods'))
}
