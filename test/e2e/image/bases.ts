// Replaces the Dockerfile's base images by images of this machine's Node if no registry is reachable.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildah } from '../../../scripts/image.ts'

/** The libraries that the dynamic linker loads for a program. */
function libraries(program: string): string[] {
  // Fails for a static program.
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' })
  return stdout.split('\n').flatMap(line => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}

export function place(folder: string, file: string, as = file): void {
  const to = join(folder, as)
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(realpathSync(file), to)
}

/** Places the program with its libraries. */
export function placeProgram(folder: string, program: string, as: string): void {
  place(folder, program, as)
  for (const library of libraries(program)) place(folder, library)
}

function commit(folder: string, name: string, ...config: readonly string[]): string {
  const container = buildah('from', 'scratch')
  try {
    buildah('copy', '--quiet', container, folder, '/')
    if (config.length > 0) buildah('config', ...config, container)
    buildah('commit', '--quiet', '--format', 'docker', container, name)
  } finally {
    buildah('rm', container)
  }
  return name
}

/** Another run may build its own at the same time, and remove it. */
const named = (name: string) => `localhost/test/${name}-${process.pid}`

/** Only Node and its libraries, like the distroless image. */
export function nodeAlone(folder: string): string {
  placeProgram(folder, process.execPath, '/nodejs/bin/node')
  return commit(folder, named('node-alone'))
}

/** Node with npm and a shell. */
export function nodeWithNpm(folder: string): string {
  placeProgram(folder, process.execPath, '/usr/bin/node')
  for (const program of ['/bin/sh', '/usr/bin/env']) placeProgram(folder, program, program)
  mkdirSync(join(folder, 'tmp'))
  const npm = dirname(dirname(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())))
  cpSync(npm, join(folder, 'usr/lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'usr/bin/npm'))
  // Trusts the certificate authority of npm on this machine, for example of a proxy.
  const authority = execFileSync('npm', ['config', 'get', 'cafile'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  const trusted = existsSync(authority)
  if (trusted) place(folder, authority)
  const environment = ['PATH=/usr/bin:/bin', 'HOME=/root', ...(trusted ? [`npm_config_cafile=${authority}`] : [])]
  return commit(folder, named('node-with-npm'), ...environment.flatMap(variable => ['--env', variable]))
}
