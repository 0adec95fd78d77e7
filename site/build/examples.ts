// The examples of the project, for the menu of the playground.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exampleClaims } from '../../scripts/generate/examples.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const readText = (file: string) => readFileSync(join(root, file), 'utf8')

export interface Example {
  /** Such as `mesh/canary-claim`, as links say it. */
  readonly name: string
  /** The heading under which the menu lists it. */
  readonly group: string
  /** In the menu. */
  readonly label: string
  readonly text: string
  /** The input of the platform that the example needs. */
  readonly platform?: string
}

export function readExamples(): Example[] {
  const files = [...new Set(exampleClaims().map(({ file }) => file))].filter(file => !/^examples\/(environments|functions|xr)\b/.test(file))
  return files.map(readExample).sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
}

const RUNTIMES = ['Deployment', 'Knative']
const rank = ({ group, name }: Example) =>
  group === 'Deployment' ? (name === 'minimal-claim' ? -2 : -1) : RUNTIMES.includes(group) ? 0 : 1

function readExample(file: string): Example {
  const name = file.replace(/^examples\//, '').replace(/\.yaml$/, '')
  const folder = dirname(name)
  const input = `${dirname(file)}/platform-input.yaml`
  const [group = '', below] = folder === '.' ? [name.startsWith('knative-') ? 'knative' : 'deployment'] : folder.split('/')
  const words = basename(name)
    .replace(/^knative-(?=.)/, folder === '.' ? '' : 'knative-')
    .replace(/-?claim$/, '')
  return {
    name,
    group: capitalized(group),
    label: readable(words === '' ? 'whole project' : words) + (below === undefined ? '' : `, ${readable(below)}`),
    text: readText(file),
    // The examples of examples/ itself need none: its input only shows one.
    ...(folder !== '.' && existsSync(join(root, input)) && { platform: readText(input) }),
  }
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** `callers-jwt` becomes `Callers JWT`. */
const readable = (words: string) =>
  capitalized(
    words
      .replace(/^a-b$/, 'A/B')
      .replaceAll('-', ' ')
      .replace(/\b(api|hpa|http|jwt|nats|xr)\b/g, word => word.toUpperCase()),
  )

/** Manifests written by hand, to try what eds migrate makes of them. */
export function readManifests(): string {
  const folder = 'test/fixtures/agent-executor'
  return readdirSync(join(root, folder))
    .filter(file => file.endsWith('.yaml'))
    .sort()
    .map(file => readText(`${folder}/${file}`).trim())
    .join('\n---\n')
    .concat('\n')
}
