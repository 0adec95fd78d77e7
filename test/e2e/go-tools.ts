// Builds third-party programs for the tests. Each is pinned by its own Go module next to this file (go.mod and go.sum) and built
// once, into a cache outside the tree: $XDG_CACHE_HOME, else ~/.cache.
import { type ChildProcess, execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAlive, makeOnce, pidNamespace } from './make-once.ts'

/** The folder of programs and images between runs. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'event-driven-service')

// For programs without a flag for the metrics address, because :8080 may be in use.
const metricsAnywhere = { 'sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress': '127.0.0.1:0' }

// Variables that the linker sets, so the programs report their version like those of a release.
const variables: Readonly<Record<string, (version: string) => Readonly<Record<string, string>>>> = {
  'crossplane/cli': version => ({ 'github.com/crossplane/crossplane-runtime/v2/pkg/version.version': version }),
  'crossplane/core': version => ({ 'github.com/crossplane/crossplane-runtime/v2/pkg/version.version': version, ...metricsAnywhere }),
  'cluster/programs/crossplane-1': version => ({
    'github.com/crossplane/crossplane/internal/version.version': version,
    ...metricsAnywhere,
  }),
  'cluster/programs/provider-kubernetes': () => metricsAnywhere,
  'gitops/argocd': version => ({ 'github.com/argoproj/argo-cd/v3/common.version': version.slice(1) }),
  // Clients fail if Kubernetes reports an invalid version.
  'cluster/programs/kubernetes': version => {
    const [major = '', minor = ''] = version.slice(1).split('.')
    const variable = (name: string) => `k8s.io/component-base/version.${name}`
    return { [variable('gitVersion')]: version, [variable('gitMajor')]: major, [variable('gitMinor')]: minor }
  },
}

interface Edit {
  readonly module: string
  readonly file: string
  readonly from: string
  readonly to: string
}

const ofKnative: readonly Edit[] = [
  ['webhook/webhook.go', 'fmt.Sprint(":", wh.Options.Port)', 'fmt.Sprint("127.0.0.1:", wh.Options.Port)'],
  ['observability/runtime/pprof.go', '":" + port', '"127.0.0.1:" + port'],
  ['injection/health_check.go', '":" + strconv.Itoa(port)', '"127.0.0.1:" + strconv.Itoa(port)'],
  ['injection/health_check.go', 'HealthCheckDefaultPort = 8080', 'HealthCheckDefaultPort = 0'],
].map(([file = '', from = '', to = '']) => ({ module: 'knative.dev/pkg', file, from, to }))

// Edits of programs without a flag for their address, so that they listen on a free port of loopback. Pods run them unedited.
const edits: Readonly<Record<string, readonly Edit[]>> = {
  'cluster/programs/serving': [
    ...ofKnative,
    { module: 'knative.dev/serving', file: 'cmd/autoscaler/main.go', from: '":8080"', to: '"127.0.0.1:0"' },
  ],
  'cluster/programs/eventing': [
    ...ofKnative,
    {
      module: 'knative.dev/eventing',
      file: 'pkg/kncloudevents/event_receiver.go',
      from: 'fmt.Sprintf(":%d", recv.desiredPort)',
      to: '"127.0.0.1:0"',
    },
  ],
  'gitops/argocd': [
    {
      module: 'github.com/argoproj/argo-cd/v3',
      file: 'controller/appcontroller.go',
      from: '"0.0.0.0:%d"',
      to: '"127.0.0.1:%d"',
    },
  ],
}

const folderOf = (module: string) => fileURLToPath(new URL(`./${module}/`, import.meta.url))
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

interface Pin {
  readonly path: string
  readonly version: string
}

/** The modules that a go.mod requires. */
function pins(module: string): Pin[] {
  const file = readFileSync(join(folderOf(module), 'go.mod'), 'utf8')
  return [...file.matchAll(/^(?:require)?\s+(\S+\.\S+\/\S+) (v\S+)/gm)].map(([, path = '', version = '']) => ({ path, version }))
}

/** The package of the module's `tool` line, selected by name if there are several; the module itself if it contains code. */
function packageOf(module: string, program?: string): string {
  const file = readFileSync(join(folderOf(module), 'go.mod'), 'utf8')
  const lines = [...file.matchAll(/^tool (\S+\/\S+)/gm), ...(/^tool \(\n([^)]*)\)/m.exec(file)?.[1]?.matchAll(/(\S+)/g) ?? [])]
  const packages = lines.map(([, name = '']) => name)
  if (program === undefined) return packages[0] ?? '.'
  const found = packages.find(name => name.endsWith(`/${program}`))
  if (found === undefined) throw new Error(`test/e2e/${module}/go.mod has no tool ${program}`)
  return found
}

/** The pinned version of the program in test/e2e/<module>. */
export function versionOf(module: string, program?: string): string {
  const name = packageOf(module, program)
  return pins(module).find(({ path }) => new RegExp(`^${escaped(path)}(/|$)`).test(name))?.version ?? pins(module)[0]?.version ?? 'unknown'
}

const running = new Set<ChildProcess>()

function go(module: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // A go.mod may need a newer Go than the installed one, which Go then downloads.
    const env = { ...process.env, GOTOOLCHAIN: 'auto' }
    const child = execFile('go', args, { cwd: folderOf(module), env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      running.delete(child)
      if (error === null) resolve(stdout.trim())
      else if (error.code === 'ENOENT')
        reject(new Error('Go 1.26 or later, which builds the programs of these tests, is not installed (https://go.dev/dl)'))
      else reject(new Error(`go ${args[0]} in test/e2e/${module} failed: ${stderr.trim() || error}`))
    })
    running.add(child)
  })
}

const asides = new Set<string>()

/** A folder of this process in the cache, for an unfinished build. The next process removes it if this one is killed. */
export function createAside(what: (typeof unfinished)[number]): string {
  mkdirSync(cache, { recursive: true })
  const aside = mkdtempSync(join(cache, `${what}-${process.pid}-${pidNamespace()}-`))
  asides.add(aside)
  return aside
}

export function removeAside(aside: string): void {
  rmSync(aside, { recursive: true, force: true })
  asides.delete(aside)
}

process.on('exit', () => {
  // Go removes its temporary files only after an interrupt.
  for (const child of running) child.kill('SIGINT')
  for (const aside of asides) removeAside(aside)
})

const unfinished = ['building', 'editing'] as const
const ASIDE = new RegExp(`^(?:${unfinished.join('|')})-(\\d+)-(\\d+)-`)

/** Removes the unfinished builds of killed processes from the cache. */
function removeLeftovers(): void {
  if (!existsSync(cache)) return
  for (const name of readdirSync(cache)) {
    const [, pid, namespace] = ASIDE.exec(name) ?? []
    if (namespace === pidNamespace() && !isAlive(Number(pid))) rmSync(join(cache, name), { recursive: true, force: true })
  }
}

const built = new Map<string, Promise<string>>()

/** Where a program runs: as a process on loopback, or in a pod with an address of its own. */
export type Place = 'process' | 'pod'

/**
 * The path of the program that test/e2e/<module> pins, such as `crossplane/cli`; builds it if it is not in the cache. `program`
 * selects one of several, and `announce` is called before a build.
 */
export function goTool(module: string, program?: string, announce = announceOnStderr, place: Place = 'process'): Promise<string> {
  if (built.size === 0) removeLeftovers()
  const key = `${module} ${program ?? ''} ${place}`
  const binary = built.get(key) ?? build(module, program, announce, place)
  built.set(key, binary)
  return binary
}

const announceOnStderr = (name: string): void => void process.stderr.write(`building ${name}, which takes some minutes the first time …\n`)

/** Whether the program is in the cache. */
export const isBuilt = async (module: string, program?: string, place: Place = 'process'): Promise<boolean> =>
  existsSync((await recipeOf(module, program, place)).file)

interface Recipe {
  readonly name: string
  readonly version: string
  readonly file: string
  /** The flags of the linker. */
  readonly linked: readonly string[]
  readonly edits?: readonly Edit[]
}

async function recipeOf(module: string, program: string | undefined, place: Place): Promise<Recipe> {
  const version = versionOf(module, program)
  const own = place === 'process' ? edits[module] : undefined
  const set = Object.entries(variables[module]?.(version) ?? {}).flatMap(([variable, value]) => ['-X', `${variable}=${value}`])
  // Images are smaller without symbols.
  const linked = place === 'process' ? set : ['-s', '-w', ...set]
  const hash = createHash('sha256')
    .update(await go(module, 'env', 'GOVERSION', 'GOOS', 'GOARCH'))
    .update(linked.join(' '))
    .update(own === undefined ? '' : JSON.stringify(own))
  for (const file of readdirSync(folderOf(module)).sort())
    if (/\.(go|mod|sum)$/.test(file)) hash.update(file).update(readFileSync(join(folderOf(module), file)))
  const name = [...module.split('/'), ...(program === undefined ? [] : [program])].join('-')
  const file = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`)
  return { name, version, file, linked, ...(own && { edits: own }) }
}

async function build(module: string, program: string | undefined, announce: (name: string) => void, place: Place): Promise<string> {
  const { name, version, file, linked, edits } = await recipeOf(module, program, place)
  return makeProgram(file, async aside => {
    announce(`${name} ${version}`)
    const flags = linked.length === 0 ? [] : ['-ldflags', linked.join(' ')]
    const modfile = edits === undefined ? [] : [`-modfile=${await edited(module, edits)}`]
    await go(module, 'build', '-buildvcs=false', ...modfile, ...flags, '-o', join(aside, name), packageOf(module, program))
    return join(aside, name)
  })
}

/** Makes a program of the cache once. It is moved into place at the end, so another process never runs an unfinished one. */
export const makeProgram = (file: string, make: (aside: string) => Promise<string>): Promise<string> =>
  makeOnce(file, async () => {
    const aside = createAside('building')
    try {
      renameSync(await make(aside), file)
    } finally {
      removeAside(aside)
    }
  })

/** A go.mod that replaces modules by edited copies, created once in a permanent folder so that Go compiles them once. */
async function edited(module: string, edits: readonly Edit[]): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify(edits))
    .update(readFileSync(join(folderOf(module), 'go.mod')))
  const folder = join(cache, `${module.split('/').join('-')}-edited-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(folder)) return join(folder, 'go.mod')
  const aside = createAside('editing')
  try {
    for (const file of ['go.mod', 'go.sum']) copyFileSync(join(folderOf(module), file), join(aside, file))
    for (const path of new Set(edits.map(edit => edit.module))) {
      const sources = await moduleSources(module, path)
      // Without documentation, which is most of Argo CD.
      cpSync(sources, join(aside, path), { recursive: true, filter: source => source !== join(sources, 'docs') })
      appendFileSync(join(aside, 'go.mod'), `\nreplace ${path} => ${join(folder, path)}\n`)
    }
    for (const edit of edits) {
      const file = join(aside, edit.module, edit.file)
      const text = readFileSync(file, 'utf8')
      if (!text.includes(edit.from)) throw new Error(`${edit.module}/${edit.file} no longer contains ${edit.from}`)
      chmodSync(file, 0o644)
      writeFileSync(file, text.replace(edit.from, edit.to))
    }
    if (!existsSync(folder)) renameSync(aside, folder)
  } finally {
    removeAside(aside)
  }
  return join(folder, 'go.mod')
}

/** The folder with the sources of a module that test/e2e/<module> pins, for its CRDs. */
export async function moduleSources(module: string, path = pins(module)[0]?.path ?? ''): Promise<string> {
  const found: unknown = JSON.parse(await go(module, 'mod', 'download', '-json', path))
  if (typeof found === 'object' && found !== null && 'Dir' in found && typeof found.Dir === 'string') return found.Dir
  throw new Error(`test/e2e/${module} pins no module ${path}`)
}
