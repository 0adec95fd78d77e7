// npm run image [-- --architecture amd64 --architecture arm64]: the function's image as dist/image-<architecture>.tar,
// from which npm run package makes the Function package. The same commit gives the same bytes.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import manifest from '../package.json' with { type: 'json' }
import { flags } from './flags.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
export const imageName = `function-event-driven-service:v${manifest.version}`

/** This machine's, as Go calls it. */
export const ownArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64'

export interface ImageBuild {
  /** As Go calls them: amd64, arm64. */
  readonly architecture: string
  /** Instead of the images that the Dockerfile pins. */
  readonly builder?: string | undefined
  readonly base?: string | undefined
  /** Where the docker-archive goes. */
  readonly archive: string
}

/** Builds one image and writes it out; answers its ID. */
export function buildImage({ architecture, builder, base, archive }: ImageBuild): string {
  const folder = mkdtempSync(join(tmpdir(), 'image-'))
  const idFile = join(folder, 'id')
  const npmrc = process.env.NPM_CONFIG_USERCONFIG || join(homedir(), '.npmrc')
  try {
    buildah(
      ...['build', '--format', 'oci', '--platform', `linux/${architecture}`, '--timestamp', String(commitSeconds())],
      // Docker's own builder says so itself, older buildahs do not.
      ...['--build-arg', `BUILDPLATFORM=linux/${ownArchitecture}`],
      ...(builder === undefined ? [] : ['--build-arg', `BUILDER=${builder}`]),
      ...(base === undefined ? [] : ['--build-arg', `BASE=${base}`]),
      ...(existsSync(npmrc) ? ['--secret', `id=npmrc,src=${npmrc}`] : []),
      ...['--label', `org.opencontainers.image.version=v${manifest.version}`, '--iidfile', idFile, root],
    )
    const id = readFileSync(idFile, 'utf8').trim()
    rmSync(archive, { force: true })
    buildah('push', id, `docker-archive:${archive}:${imageName}`)
    return id
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** When the commit was made, so that the clock of the build does not show in the image. */
function commitSeconds(): number {
  const given = process.env.SOURCE_DATE_EPOCH
  if (given !== undefined) return Number(given)
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return 0
  }
}

/** Runs buildah; what it says is shown only where it fails. */
export function buildah(...args: readonly string[]): string {
  try {
    return execFileSync('buildah', args, { encoding: 'utf8', stdio: 'pipe', maxBuffer: 64 * 1024 * 1024 }).trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Error('buildah is missing: it builds the image (apt-get install buildah, or https://buildah.io)')
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new Error(`buildah ${args[0]} failed:\n${said}`)
  }
}

function main(): void {
  const { architecture: architectures, ...images } = flags('npm run image', {
    architecture: { type: 'string', multiple: true, default: [ownArchitecture] },
    builder: { type: 'string' },
    base: { type: 'string' },
  })
  mkdirSync(join(root, 'dist'), { recursive: true })
  for (const architecture of architectures) {
    const archive = join(root, 'dist', `image-${architecture}.tar`)
    buildImage({ ...images, architecture, archive })
    const digest = createHash('sha256').update(readFileSync(archive)).digest('hex')
    console.log(`dist/image-${architecture}.tar  ${(statSync(archive).size / 1024 / 1024).toFixed(1)} MB  sha256:${digest}`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    main()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
