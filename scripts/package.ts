// npm run package [-- --registry ghcr.io/bizmatters] [--version v1.2.3] [--out dist] [--push]: builds the Crossplane packages as
// .xpkg files, and pushes them if asked. There is a Function package for each dist/image-<architecture>.tar of npm run image.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isMap, parseDocument } from 'yaml'
import manifest from '../package.json' with { type: 'json' }
import { goTool } from '../test/e2e/go-tools.ts'
import { flags } from './flags.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const FUNCTION = 'function-event-driven-service'
const flavours = [
  { name: 'configuration-event-driven-service', meta: 'package/configuration', apis: 'apis' },
  { name: 'configuration-event-driven-service-namespaced', meta: 'package/configuration-namespaced', apis: 'apis/namespaced' },
] as const

export interface Build {
  /** The Crossplane CLI. */
  readonly crossplane: string
  /** The registry to push to: a host and a path. */
  readonly registry: string
  readonly version: string
  readonly out: string
  /** Runtime images by architecture, as docker-archives. */
  readonly images: Readonly<Record<string, string>>
}

/**
 * The name that Crossplane gives to a Function installed as a dependency: its repository without the host, as a DNS label. The
 * Composition must call this name, so it depends on the registry.
 */
export const installedName = (repository: string): string =>
  repository
    .slice(repository.indexOf('/') + 1)
    .replace(/[./:]/g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')

/** Builds the packages and returns their files. */
export function buildPackages({ crossplane, registry, version, out, images }: Build): string[] {
  const stage = mkdtempSync(join(tmpdir(), 'xpkg-'))
  const repository = `${registry}/${FUNCTION}`
  const none = join(stage, 'none')
  const build = (folder: string, file: string, ...flags: string[]): string => {
    const path = join(out, file)
    execFileSync(crossplane, ['xpkg', 'build', '--package-root', folder, '--package-file', path, ...flags], { stdio: 'pipe' })
    return path
  }
  try {
    mkdirSync(out, { recursive: true })
    mkdirSync(none)
    const configurations = flavours.map(({ name, meta, apis }) => {
      const folder = join(stage, name)
      mkdirSync(folder)
      writeFileSync(join(folder, 'crossplane.yaml'), withDependency(read(`${meta}/crossplane.yaml`), repository, version))
      copyFileSync(join(root, apis, 'definition.yaml'), join(folder, 'definition.yaml'))
      writeFileSync(join(folder, 'composition.yaml'), withFunctionName(read(`${apis}/composition.yaml`), installedName(repository)))
      return build(folder, `${name}.xpkg`, '--examples-root', claims(join(stage, `${name}-examples`)))
    })
    const functions = Object.entries(images).map(([architecture, image]) =>
      build(
        join(root, 'package/function'),
        `${FUNCTION}-${architecture}.xpkg`,
        ...['--examples-root', none, '--embed-runtime-image-tarball', image],
      ),
    )
    return [...configurations, ...functions]
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

const read = (file: string) => readFileSync(join(root, file), 'utf8')

function withDependency(meta: string, repository: string, version: string): string {
  const document = parseDocument(meta)
  document.setIn(['spec', 'dependsOn', 0, 'function'], repository)
  document.setIn(['spec', 'dependsOn', 0, 'version'], `>=${version}`)
  return document.toString()
}

function withFunctionName(composition: string, name: string): string {
  const document = parseDocument(composition)
  if (!isMap(document.getIn(['spec', 'pipeline', 0, 'functionRef'])))
    throw new Error('the Composition has no functionRef in its first step')
  document.setIn(['spec', 'pipeline', 0, 'functionRef', 'name'], name)
  return document.toString()
}

/** Copies the example claims, which a registry shows next to the API. */
function claims(folder: string): string {
  cpSync(join(root, 'examples'), folder, { recursive: true, filter: from => !from.includes(join('examples', 'xr')) })
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && !entry.name.endsWith('-claim.yaml')) rmSync(join(entry.parentPath, entry.name))
  return folder
}

/** The pinned CLI if it exists or can be built, else the one on the PATH. */
async function findCrossplane(): Promise<string> {
  try {
    return await goTool('crossplane/cli')
  } catch (missing) {
    try {
      execFileSync('crossplane', ['version', '--client'], { stdio: 'ignore' })
      return 'crossplane'
    } catch {
      throw new Error(
        `the Crossplane CLI, which builds the packages, is not on the PATH and could not be built: ${missing instanceof Error ? missing.message : missing}`,
      )
    }
  }
}

/** Pushes the packages; those of the function together, as one package for all architectures. */
function push({ crossplane, registry, version }: Build, files: readonly string[]): void {
  const names = [FUNCTION, ...flavours.map(({ name }) => name)]
  for (const name of names) {
    const own = files.filter(file => basename(file) === `${name}.xpkg` || (name === FUNCTION && basename(file).startsWith(`${name}-`)))
    if (own.length === 0) continue
    const target = `${registry}/${name}:${version}`
    execFileSync(crossplane, ['xpkg', 'push', '--package-files', own.join(','), target], { stdio: ['ignore', 'ignore', 'inherit'] })
    console.log(`pushed ${target}`)
  }
}

/** The runtime images that npm run image has built. */
function builtImages(): Record<string, string> {
  const files = ['amd64', 'arm64'].map((architecture): [string, string] => [architecture, join(root, 'dist', `image-${architecture}.tar`)])
  return Object.fromEntries(files.filter(([, file]) => existsSync(file)))
}

async function main(): Promise<void> {
  const values = flags('npm run package', {
    registry: { type: 'string', default: 'ghcr.io/bizmatters' },
    version: { type: 'string', default: `v${manifest.version}` },
    out: { type: 'string', default: join(root, 'dist') },
    push: { type: 'boolean', default: false },
  })
  const build = { ...values, crossplane: await findCrossplane(), images: builtImages() }
  const files = buildPackages(build)
  for (const file of files) {
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
    console.log(`${basename(file).padEnd(56)} ${(statSync(file).size / 1024).toFixed(0).padStart(7)} kB  sha256:${digest}`)
  }
  const missing = 'dist/image-<architecture>.tar does not exist. Run: npm run image'
  if (Object.keys(build.images).length === 0) {
    if (values.push) throw new Error(`nothing was pushed: the package of ${FUNCTION} needs a runtime image, and ${missing}`)
    console.log(`skipped the package of ${FUNCTION}: ${missing}`)
  }
  if (values.push) push(build, files)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await main().catch(error => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
