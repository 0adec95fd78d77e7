// Holds the table of docs/migration.md to what eds migrate says. `npx vitest run test/docs/migration.test.ts -u` writes it anew.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Row } from '../../src/convert/compare.ts'
import { migrate } from '../../src/convert/migrate.ts'
import { at } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'

const page = fileURLToPath(new URL('../../docs/migration.md', import.meta.url))
const folder = fileURLToPath(new URL('../fixtures/agent-executor', import.meta.url))

const words = { different: 'different', unsaid: 'unsupported', added: 'added', same: 'the same' } as const

function table(rows: readonly Row[]): string {
  const code = (value: unknown) => (value === undefined ? '' : `\`${JSON.stringify(value).replaceAll('|', '\\|')}\``)
  const lines = rows.map(({ object, path, verdict, was, is, because = '' }) => {
    const short = path === '' ? 'the whole object' : `\`${path.replace('spec.template.spec.', '… ').replace('spec.template.', '… ')}\``
    const [before, after] = path === '' ? [at(was, 'spec'), at(is, 'spec')] : [was, is]
    return `| ${object.split(' ')[0]} | ${short} | ${words[verdict]} | ${code(before)} | ${code(after)} | ${because} |`
  })
  return ['| object | field | | by hand | by the claim | why |', '|---|---|---|---|---|---|', ...lines].join('\n')
}

test('docs/migration.md shows what changes for agent-executor', async () => {
  const migrated = migrate(
    readdirSync(folder).map(file => parse(readFileSync(`${folder}/${file}`, 'utf8'))),
    builtInPlatform,
    { adopt: true },
  )
  if (!migrated.ok) throw new Error(JSON.stringify(migrated.findings))
  const rows = migrated.rows.filter(({ verdict, path }) => verdict !== 'same' && !path.startsWith('metadata.labels'))
  const [start, end] = ['<!-- agent-executor -->\n', '<!-- /agent-executor -->']
  const document = readFileSync(page, 'utf8')
  const [from, to] = [document.indexOf(start) + start.length, document.indexOf(end)]
  expect(from).toBeLessThanOrEqual(to)
  const same = migrated.rows.filter(({ verdict }) => verdict === 'same').length
  const written = `${document.slice(0, from)}${table(rows)}\n\n${same} fields are the same.\n${document.slice(to)}`
  await expect(written).toMatchFileSnapshot(page)
})
