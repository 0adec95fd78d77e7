// Holds what docs/validation.md shows to what is so. `npx vitest run test/docs/validation.test.ts -u` writes it anew.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { eds } from '../../src/cli/eds.ts'
import type { Io, Output } from '../../src/cli/io.ts'
import { recorded } from '../cli/io.ts'
import { claimFiles, invalidFiles, type Judge, judges, root } from '../fixtures/claim-files.ts'
import { withBlock } from './markdown.ts'

const page = `${root}docs/validation.md`

test('docs/validation.md shows the truth', async () => {
  const written = withBlock(withBlock(readFileSync(page, 'utf8'), 'transcript', await transcript()), 'differences', differences())
  await expect(written).toMatchFileSnapshot(page)
})

test.each(['docs/validation.md', 'docs/editors.md'])('%s links to what is there', file => {
  const links = [...readFileSync(root + file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link)
  expect(links.filter(link => !existsSync(join(root, dirname(file), link)))).toEqual([])
})

test('docs/migration.md keeps the objects of a composite by the same commands wherever it does', () => {
  const blocks = readFileSync(`${root}docs/migration.md`, 'utf8')
    .split('```')
    .filter(text => text.includes('--for=delete'))
  const [first, second] = blocks.map(text =>
    text
      .trim()
      .replaceAll(/^sh\n|^ +/gm, '')
      .trim(),
  )
  expect(first?.replaceAll('shop', 'intelligence-deepagents').replaceAll(/\borders\b/g, 'agent-executor')).toBe(
    second?.split(' &&\n').slice(0, -2).join(' &&\n'),
  )
})

const typical = ['size-unknown', 'nats-stream-missing', 'unknown-field-singular', 'env-value-is-yes', 'secret-ref-shadows-env']

/** What somebody sees who types the commands: both streams, and a caret under the mistake. */
async function transcript(): Promise<string> {
  const seen: string[] = []
  const screen: Output = { write: text => seen.push(text), isTerminal: true, color: false, width: 100 }
  const nothing = (async function* () {})()
  const io: Io = { ...recorded().io, stdin: { chunks: nothing, isTerminal: true }, stdout: screen, stderr: screen }
  for (const name of typical) {
    const file = `test/fixtures/claims/invalid/${name}.yaml`
    seen.push(`$ eds validate ${file}\n`)
    await eds(['validate', file], io)
  }
  // Progress is wiped off the line again.
  return `\`\`\`\n${seen.filter(text => !text.startsWith('\r')).join('')}\`\`\``
}

const names: Readonly<Record<Judge, string>> = {
  ajv: 'ajv-cli',
  function: 'the function',
  cluster: 'the API server',
  crossplane: '`crossplane resource validate`',
}

/** The one table of differences, out of the comments of the files. */
function differences(): string {
  const rows = judges.flatMap(judge =>
    claimFiles.flatMap(({ name, valid, differs }) => {
      const reason = differs[judge]
      return reason === undefined ? [] : [{ row: `| ${names[judge]} ${valid ? 'refuses' : 'accepts'} | ${reason} |`, name }]
    }),
  )
  const link = (name: string) => `[${name.replace(/^.*\/|\.yaml$/g, '')}](../${name})`
  const lines = [...new Set(rows.map(({ row }) => row))].map(row => {
    const files = rows.filter(other => other.row === row).map(({ name }) => link(name))
    return `${row} ${files.join(', ')} |`
  })
  const differing = new Set(rows.map(({ name }) => name)).size
  const count = `${claimFiles.length} files, of which ${invalidFiles.length} are invalid; all agree on ${claimFiles.length - differing}.`
  return [count, '', '| who | why | files |', '|---|---|---|', ...lines].join('\n')
}
