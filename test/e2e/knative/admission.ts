// Runs test/e2e/knative/admission, a small Go program around Knative's defaults and validation.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../../../src/kubernetes/json.ts'

const source = fileURLToPath(new URL('admission', import.meta.url))
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'event-driven-service')

/** The folder of a module's release that the admission program uses. */
export const moduleFolder = (module: string): string =>
  execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd: source, encoding: 'utf8' }).trim()

/** The program, built once for each version of its source. */
function program(): string {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(source, file)))
  const binary = join(cache, `knative-admission-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(binary)) return binary
  mkdirSync(cache, { recursive: true })
  console.log(`Building Knative's admission into ${cache}; the first time this takes some minutes.`)
  execFileSync('go', ['build', '-o', binary, '.'], { cwd: source, stdio: ['ignore', 'inherit', 'inherit'] })
  return binary
}

export interface Verdict {
  readonly kind: string
  readonly name: string
  /** Why Knative rejects the object; undefined if it does not. */
  readonly refused?: string
  readonly warned?: string
}

/** The verdict for each manifest. */
export function admit(manifests: readonly JsonObject[], flags: readonly string[] = []): Verdict[] {
  const { status, stdout, stderr, error } = spawnSync(program(), flags, {
    input: manifests.map(manifest => `${JSON.stringify(manifest)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`Knative's admission did not run: ${error?.message ?? stderr}`)
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Verdict)
}
