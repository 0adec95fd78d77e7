// Images of the worker: this machine's Node with its libraries and one file, pushed to a registry of the cluster.
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { placeProgram } from '../../image/bases.ts'

const run = promisify(execFile)

export interface WorkerImage {
  /** With the registry's address, such as `127.0.0.1:5000/acme/orders-worker`. */
  readonly repository: string
  readonly tag: string
  /** What the worker says; the tag by default. */
  readonly version?: string
  /** The user of the image. A claim runs each image as user 1000. */
  readonly user?: string
  readonly variables?: Readonly<Record<string, string>>
}

export interface Workshop {
  /** The path of crane. */
  readonly crane: string
  /** Where layers are built. */
  readonly folder: string
  /** With the file of a login for the registry, if it needs one. */
  readonly dockerConfig?: string
}

/** Bundles the worker into one file. */
export async function bundleWorker(file: string): Promise<void> {
  const entry = fileURLToPath(new URL('main.ts', import.meta.url))
  await build({ entryPoints: [entry], outfile: file, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' })
}

/** The layers of all images: Node and a shell, and the worker with a directory that its user may write to. */
async function layers({ folder }: Workshop): Promise<readonly string[]> {
  const [base, own] = [join(folder, 'worker-base'), join(folder, 'worker-own')]
  placeProgram(base, process.execPath, '/nodejs/bin/node')
  // The migrations of agent-executor are a shell script, and Bash is the shell that its manifest names.
  placeProgram(base, '/bin/bash', '/bin/bash')
  for (const directory of ['data', 'tmp', 'app/scripts/ci']) mkdirSync(join(own, directory), { recursive: true })
  for (const directory of ['data', 'tmp']) chmodSync(join(own, directory), 0o777)
  writeFileSync(join(own, 'app/scripts/ci/run-migrations.sh'), '#!/bin/bash\necho migrated\n', { mode: 0o755 })
  await bundleWorker(join(own, 'worker.mjs'))
  return Promise.all(
    [base, own].map(async content => {
      // Compressed for speed: everything stays on this machine.
      await run('tar', ['--owner=0', '--group=0', '-I', 'gzip -1', '-cf', `${content}.tar.gz`, '-C', content, '.'])
      return `${content}.tar.gz`
    }),
  )
}

/** Builds the images and pushes them. */
export async function pushWorkers(workshop: Workshop, images: readonly WorkerImage[]): Promise<void> {
  const { crane, dockerConfig } = workshop
  const env = { ...process.env, ...(dockerConfig !== undefined && { DOCKER_CONFIG: dockerConfig }) }
  const files = (await layers(workshop)).flatMap(layer => ['--new_layer', layer])
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  for (const { repository, tag, version = tag, user = '1000', variables = {} } of images) {
    const target = `${repository}:${tag}`
    await run(crane, ['append', '--insecure', ...files, '--new_tag', target], { env })
    await run(
      crane,
      [
        ...['mutate', '--insecure', target, '--tag', target, '--set-platform', `linux/${architecture}`],
        ...['--entrypoint', '/nodejs/bin/node,/worker.mjs', '--user', user],
        ...Object.entries({ VERSION: version, ...variables }).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ],
      { env },
    )
  }
}
