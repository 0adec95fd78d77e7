// npm run image [-- --architecture amd64 --architecture arm64]: builds the function's image as dist/image-<architecture>.tar, the
// input of npm run package. The build is reproducible: the same commit gives the same bytes.
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

/** The architecture of this machine, by Go's name. */
export const ownArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64'

export interface ImageBuild {
  /** By Go's name: amd64 or arm64. */
  readonly architecture: string
  /** Replaces an image that the Dockerfile pins. */
  readonly builder?: string | undefined
  readonly base?: string | undefined
  /** The path of the docker-archive to write. */
  readonly archive: string
}

/** Builds one image, writes the archive and returns the image ID. */
export function buildImage({ architecture, builder, base, archive }: ImageBuild): string {
  const folder = mkdtempSync(join(tmpdir(), 'image-'))
  const idFile = join(folder, 'id')
  const npmrc = process.env.NPM_CONFIG_USERCONFIG || join(homedir(), '.npmrc')
  try {
    buildah(
      ...['build', '--format', 'oci', '--platform', `linux/${architecture}`, '--timestamp', String(commitSeconds())],
      // Docker's builder sets this argument, older versions of buildah do not.
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

/** The time of the commit, so the image does not depend on the build time. */
function commitSeconds(): number {
  const epoch = process.env.SOURCE_DATE_EPOCH
  if (epoch !== undefined) return Number(epoch)
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return 0
  }
}

/** Runs buildah, and reports its output only if it fails. */
export function buildah(...args: readonly string[]): string {
  try {
    return execFileSync('buildah', args, { encoding: 'utf8', stdio: 'pipe', maxBuffer: 64 * 1024 * 1024 }).trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Error('buildah, which builds the image, is not installed: apt-get install buildah, or see https://buildah.io')
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new Error(`buildah ${args[0]} failed:\n${output}`)
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
