// The images of Tekton, Shipwright and Flux, of their steps, and those that builds start from. All are made of this machine's programs.
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import type { Cluster } from '../cluster/cluster.ts'
import { buildContent, type ImageContent, nodeBase, pushImage } from '../node/images.ts'
import { writeLayout } from '../node/oci-layout.ts'
import type { BuildPrograms } from './programs.ts'

const run = promisify(execFile)

/** The image that Dockerfiles of the tests build on: a shell and a small web server. */
export const BASE_IMAGE = 'ghcr.io/acme/base:1'
/** The frame that a strategy puts around a handler. */
export const FRAME_IMAGE = 'ghcr.io/acme/nodejs-frame:1'

const PATH = '/usr/local/bin:/usr/bin:/bin'
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
const NONROOT = '65532:65532'

interface Built {
  readonly layout: string
  readonly content: ImageContent
  readonly reference: string
}

const onPath = async (program: string): Promise<string> => (await run('which', [program])).stdout.trim()

/** `sh` and the programs that git's scripts and strategies call. */
async function shell(): Promise<Pick<ImageContent, 'programs' | 'links'>> {
  const applets = [
    'sh',
    'basename',
    'cat',
    'cp',
    'env',
    'grep',
    'ls',
    'mkdir',
    'rm',
    'sed',
    'sleep',
    'touch',
    'chmod',
    'uname',
    'tail',
    'httpd',
    'false',
    'echo',
  ]
  return {
    programs: { '/bin/busybox': await onPath('busybox') },
    links: Object.fromEntries(applets.map(name => [`/bin/${name}`, 'busybox'])),
  }
}

/** Writes the image of the frame: the command eds-worker of the worker library, in one file. */
async function writeFrame(layout: string, folder: string): Promise<void> {
  const path = '/frame/eds-worker.mjs'
  const entry = fileURLToPath(new URL('../../../worker/src/run-file.ts', import.meta.url))
  // The libraries of NATS still call require.
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" }
  const outfile = join(folder, path)
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error', banner })
  writeLayout(layout, folder, { Entrypoint: ['/nodejs/bin/node', path], User: '1000:1000' }, nodeBase())
}

/** Every image by the name of its program; builds what is not in the cache. */
export async function buildImages(programs: BuildPrograms): Promise<Readonly<Record<string, Built>>> {
  const { programs: shellPrograms = {}, links = {} } = await shell()
  const named = (name: string, content: ImageContent): [string, Built] => [
    name,
    { layout: buildContent(`build-${name}`, content), content, reference: `ghcr.io/build/${name}:1` },
  ]
  const alone = (name: string, file: string, user: string): [string, Built] => {
    const path = `/ko-app/${name}`
    return named(name, { programs: { [path]: file }, entrypoint: [path], environment: { PATH }, user })
  }
  const libexec = '/usr/lib/git-core'
  const scripts = ['git-submodule', 'git-sh-setup', 'git-sh-i18n'].map(name => `${libexec}/${name}`)
  const absent = fileURLToPath(new URL('absent.sh', import.meta.url))
  const policy = '/etc/containers/policy.json'
  return Object.fromEntries([
    alone('entrypoint', programs.entrypoint, '0:0'),
    alone('workingdirinit', programs.workingDirectory, NONROOT),
    alone('image-processing', programs.imageProcessing, '0:0'),
    alone('controller', programs.tekton, NONROOT),
    alone('webhook', programs.tektonWebhook, NONROOT),
    alone('shipwright-build-controller', programs.shipwright, '1000:1000'),
    alone('shipwright-build-webhook', programs.shipwrightWebhook, '1000:1000'),
    alone('source-controller', programs.sourceController, NONROOT),
    named('git', {
      programs: {
        ...shellPrograms,
        '/ko-app/git': programs.git,
        '/usr/bin/git': await onPath('git'),
        [`${libexec}/git-remote-https`]: `${libexec}/git-remote-https`,
      },
      files: { ...Object.fromEntries(scripts.map(path => [path, path])), '/usr/bin/ssh': absent, '/usr/bin/git-lfs': absent },
      links,
      entrypoint: ['/ko-app/git'],
      environment: { PATH, GIT_SSL_CAINFO: AUTHORITIES },
      user: '1000:1000',
    }),
    named('buildah', {
      programs: { ...shellPrograms, '/usr/bin/buildah': await onPath('buildah'), '/bin/bash': '/bin/bash' },
      files: { [policy]: policy },
      // The strategy mounts a volume there.
      links: { ...links, '/var/run': '/run' },
      entrypoint: ['/usr/bin/buildah'],
      // A container inside a container needs no namespaces of its own.
      environment: { PATH, BUILDAH_ISOLATION: 'chroot' },
    }),
    named('base', { programs: shellPrograms, links, entrypoint: ['/bin/sh'], environment: { PATH } }),
  ])
}

/** Pushes every image, with the CA of the registry and of the git server. */
export async function pushBuildImages(cluster: Cluster, programs: BuildPrograms): Promise<Readonly<Record<string, string>>> {
  const { folder, authority } = cluster
  const images = await buildImages(programs)
  const trust = join(folder, 'build', 'trust')
  mkdirSync(join(trust, dirname(AUTHORITIES)), { recursive: true })
  writeFileSync(join(trust, AUTHORITIES), authority.certificate)
  for (const [name, { layout, content, reference }] of Object.entries(images)) {
    const trusting = join(folder, 'build', name)
    const { entrypoint, environment = {}, user } = content
    const config = {
      Entrypoint: entrypoint,
      Env: Object.entries(environment).map(([variable, value]) => `${variable}=${value}`),
      ...(user !== undefined && { User: user }),
    }
    writeLayout(trusting, trust, config, layout)
    await pushImage(cluster, trusting, reference)
    rmSync(trusting, { recursive: true })
  }
  await pushImage(cluster, images.base?.layout ?? '', BASE_IMAGE)
  const frame = join(folder, 'build', 'frame')
  await writeFrame(frame, join(folder, 'build', 'eds-worker'))
  await pushImage(cluster, frame, FRAME_IMAGE)
  return Object.fromEntries(Object.entries(images).map(([name, { reference }]) => [name, reference]))
}
