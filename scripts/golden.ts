// npm run golden: writes the complete output of the first call for each example, without observed resources.
// Reviewers read the differences, and test/golden.test.ts fails if the files are outdated.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import { compose } from '../src/reconcile/compose.ts'
import { findingsMessage } from '../src/reconcile/conditions.ts'
import { parseClaim } from '../src/reconcile/parse-claim.ts'
import { type Example, exampleClaims, platformOf } from './generate/examples.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
export const goldenFolder = 'test/golden'

const yamlFiles = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.yaml'))
    .sort()

/** The existing golden files. */
export const goldenFiles = (): string[] => yamlFiles(goldenFolder).map(name => `${goldenFolder}/${name}`)

/** The expected golden files with their content: one for each example with a claim. */
export function goldens(): Map<string, string> {
  const contents = new Map<string, string>()
  for (const example of exampleClaims()) {
    const file = example.file.replace('examples', goldenFolder)
    const head = `# What ${example.file} becomes, before anything is there. Rewritten by: npm run golden\n`
    contents.set(file, (contents.get(file) ?? head) + golden(example).join(''))
  }
  return contents
}

const yaml = (value: object) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' })
const section = (title: string, value: object) => `---\n# ${title}\n${yaml(value)}`

/** Each resource under its key, followed by the status. */
function golden(example: Example): string[] {
  const platform = platformOf(example)
  const parsed = parseClaim(example.claim, platform)
  if (!parsed.ok) throw new Error(`${example.file} is invalid: ${findingsMessage(parsed.findings)}`)
  const { resources, conditions, status } = compose(parsed.claim, platform, {})
  return [
    ...resources.map(({ key, desired, readiness }) =>
      section(`${key} (${readiness.ready ? 'ready' : 'not ready'}: ${readiness.reason})`, desired),
    ),
    section('status', { conditions: conditions.map(({ transient: _, ...condition }) => condition), ...status }),
  ]
}

function rewrite(): void {
  const expected = goldens()
  const before = new Map(goldenFiles().map(file => [file, readFileSync(join(root, file), 'utf8')]))
  const written = [...expected].filter(([file, content]) => before.get(file) !== content)
  const removed = [...before.keys()].filter(file => !expected.has(file))
  for (const [file, content] of written) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), content)
  }
  for (const file of removed) rmSync(join(root, file))
  const changes = [...written.map(([file]) => `wrote ${file}`), ...removed.map(file => `removed ${file}`)]
  console.log(changes.length === 0 ? `${expected.size} golden files are up to date` : changes.join('\n'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) rewrite()
