// Images for a real node, built from programs and files of this machine, without any public image. Each is an OCI layout in the cache,
// so that a later run only pushes it.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { buildah, buildImage, ownArchitecture } from '../../../scripts/image.ts'
import { root } from '../../fixtures/claim-files.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { NodePrograms, Programs } from '../cluster/programs.ts'
import { cache, createAside, moduleSources, removeAside } from '../go-tools.ts'
import { nodeAlone, nodeWithNpm, place, placeProgram } from '../image/bases.ts'
import { writeLayout } from './oci-layout.ts'

const run = promisify(execFile)

export interface ImageContent {
  /** The OCI layout of the image to build on; an empty image by default. */
  readonly base?: string
  /** Programs of this machine, placed with their libraries, by their path in the image. */
  readonly programs?: Readonly<Record<string, string>>
  /** Files and folders of this machine by their path in the image. */
  readonly files?: Readonly<Record<string, string>>
  /** Targets of symbolic links by the path of the link. */
  readonly links?: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  /** Environment variables. */
  readonly environment?: Readonly<Record<string, string>>
  /** A user and a group, such as `1000:1000`; root by default. */
  readonly user?: string
}

const folder = join(cache, 'images')
const MODE_OF_TMP = 0o1777

/** A file changes its size or time if its content does. */
const stamp = (file: string): string => {
  const { size, mtimeMs } = statSync(file)
  return `${realpathSync(file)} ${size} ${mtimeMs}`
}

const filesIn = (path: string): string[] =>
  statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name))
        .sort()
    : [path]

/** The OCI layout of the image; builds it if it is not in the cache. */
export function buildContent(name: string, content: ImageContent): string {
  const sources = [...Object.values(content.programs ?? {}), ...Object.values(content.files ?? {})].flatMap(filesIn)
  const hash = createHash('sha256').update(JSON.stringify(content)).update(sources.map(stamp).join('\n')).digest('hex')
  const layout = join(folder, `${name}-${hash.slice(0, 16)}`)
  if (existsSync(layout)) return layout
  mkdirSync(folder, { recursive: true })
  const aside = createAside('building')
  try {
    const tree = join(aside, 'tree')
    for (const inner of ['tmp', 'etc']) mkdirSync(join(tree, inner), { recursive: true })
    chmodSync(join(tree, 'tmp'), MODE_OF_TMP)
    writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/sbin/nologin\nuser:x:1000:1000:user:/tmp:/sbin/nologin\n')
    writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nuser:x:1000:\n')
    for (const [path, program] of Object.entries(content.programs ?? {})) placeProgram(tree, program, path)
    for (const [path, file] of Object.entries(content.files ?? {}))
      if (statSync(file).isDirectory()) cpSync(file, join(tree, path), { recursive: true })
      else place(tree, file, path)
    for (const [path, target] of Object.entries(content.links ?? {})) {
      mkdirSync(dirname(join(tree, path)), { recursive: true })
      symlinkSync(target, join(tree, path))
    }
    const { entrypoint, user, environment, base } = content
    const config = {
      Entrypoint: entrypoint,
      ...(user !== undefined && { User: user }),
      ...(environment !== undefined && { Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`) }),
    }
    writeLayout(join(aside, 'layout'), tree, config, base)
    // Unless another run was faster: a folder with files can't be replaced.
    if (!existsSync(layout)) renameSync(join(aside, 'layout'), layout)
  } finally {
    removeAside(aside)
  }
  return layout
}

/** Node of this machine, for programs in JavaScript. */
export const nodeBase = (): string =>
  buildContent('node', { programs: { '/nodejs/bin/node': process.execPath }, entrypoint: ['/nodejs/bin/node'], user: '1000:1000' })

/** The image of the function by our Dockerfile, on bases of this machine's Node, as a docker-archive. */
export function buildFunctionImage(): string {
  const inputs = [
    'Dockerfile',
    '.npmrc',
    'package.json',
    'package-lock.json',
    'LICENSE',
    'scripts/build.mjs',
    'scripts/packages.mjs',
    'schemas',
    'src',
  ]
  const hash = createHash('sha256').update(process.version)
  for (const file of inputs.flatMap(input => filesIn(join(root, input)))) hash.update(file).update(readFileSync(file))
  const archive = join(folder, `function-${hash.digest('hex').slice(0, 16)}.tar`)
  if (existsSync(archive)) return archive
  // With chroot, because this process may lack the privileges to start containers.
  process.env.BUILDAH_ISOLATION ??= 'chroot'
  mkdirSync(folder, { recursive: true })
  const aside = createAside('building')
  const images: string[] = []
  try {
    const [base, builder] = [nodeAlone(mkdtempSync(join(aside, 'base-'))), nodeWithNpm(mkdtempSync(join(aside, 'builder-')))]
    images.push(base, builder)
    images.push(buildImage({ architecture: ownArchitecture, archive: join(aside, 'function.tar'), base, builder }))
    renameSync(join(aside, 'function.tar'), archive)
  } finally {
    removeAside(aside)
    for (const image of images) removeImage(image)
  }
  return archive
}

function removeImage(image: string): void {
  try {
    buildah('rmi', '--force', image)
  } catch {
    // Another run that builds at the same time has removed it; both give the bases the same name.
  }
}

/** Pushes an OCI layout or a docker-archive, so that pods can use it as this image. */
export async function pushImage(
  { programs, registry }: Pick<Cluster, 'programs' | 'registry'>,
  image: string,
  reference: string,
): Promise<void> {
  const repository = reference.slice(reference.indexOf('/') + 1)
  await run(programs.crane, ['push', image, `${registry}/${repository}`])
}

const onPath = async (program: string): Promise<string> => (await run('which', [program])).stdout.trim()

/** The images of the node's own pods, by name. */
export async function nodeImages({ coredns }: NodePrograms) {
  return {
    pause: buildContent('pause', {
      programs: { '/catatonit': await onPath('catatonit') },
      entrypoint: ['/catatonit', '-P'],
      user: '65535:65535',
    }),
    coredns: buildContent('coredns', { programs: { '/coredns': coredns }, entrypoint: ['/coredns'], user: '1000:1000' }),
  }
}

const applets = [
  'sh',
  'wget',
  'nslookup',
  'ls',
  'cat',
  'id',
  'sleep',
  'ip',
  'ps',
  'env',
  'grep',
  'head',
  'tail',
  'mount',
  'nc',
  'touch',
  'true',
  'false',
]

/** The images of the platform and of tests, by name. */
export async function platformImages(programs: Programs) {
  const crossplane = await moduleSources('crossplane/core', 'github.com/crossplane/crossplane/v2')
  const one = (name: string, file: string) =>
    buildContent(name, { programs: { [`/${name}`]: file }, entrypoint: [`/${name}`], user: '1000:1000' })
  return {
    crossplane: buildContent('crossplane', {
      programs: { '/usr/local/bin/crossplane': programs.crossplane },
      files: { '/crds': join(crossplane, 'cluster/crds'), '/webhookconfigurations': join(crossplane, 'cluster/webhookconfigurations') },
      entrypoint: ['/usr/local/bin/crossplane'],
      user: '65532:65532',
    }),
    keda: one('keda', programs.kedaOperator),
    kedaAdapter: one('keda-adapter', programs.kedaAdapter),
    kedaWebhooks: one('keda-admission-webhooks', programs.kedaWebhooks),
    nats: one('nats-server', await onPath('nats-server')),
    node: nodeBase(),
    function: buildFunctionImage(),
    busybox: buildContent('busybox', {
      programs: { '/bin/busybox': await onPath('busybox') },
      links: Object.fromEntries(applets.map(name => [`/bin/${name}`, 'busybox'])),
      entrypoint: ['/bin/sh', '-c'],
      user: '1000:1000',
    }),
  }
}
