// Builds, pushes and installs our packages like in docs/install.md, and runs the function as a process instead of its pods.
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildPackages, installedName } from '../../../scripts/package.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { buildFunctionImage } from '../node/images.ts'
import { referenceTo } from './api.ts'
import type { Cluster } from './cluster.ts'
import { freePort } from './ports.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))
const REGISTRY = 'ghcr.io/bizmatters'
const FUNCTION_REPOSITORY = 'function-event-driven-service'
const NAMESPACE = 'crossplane-system'

export type Flavour = 'claims' | 'namespaced'

export const configurations = {
  claims: 'configuration-event-driven-service',
  namespaced: 'configuration-event-driven-service-namespaced',
} as const satisfies Record<Flavour, string>

/** The name of our Function in Crossplane. */
export const functionName = installedName(`${REGISTRY}/${FUNCTION_REPOSITORY}`)
export const configurationName = (flavour: Flavour) => installedName(`${REGISTRY}/${configurations[flavour]}`)

/** The name of the process that replaces the pods of the function. */
export const FUNCTION = 'function'

export const FIRST_VERSION = 'v0.1.0'

/** Builds the packages of this version and pushes them to the registry that the cluster reaches as ghcr.io/bizmatters/…. */
export async function publish(cluster: Cluster, version = FIRST_VERSION): Promise<void> {
  const { programs, folder, registry } = cluster
  const out = join(folder, 'xpkg', version)
  mkdirSync(out, { recursive: true })
  const image = cluster.realPods ? buildFunctionImage() : await imageOf(cluster, join(root, 'dist/function.js'), out)
  const files = buildPackages({ crossplane: programs.crossplaneCli, registry: REGISTRY, version, out, images: { amd64: image } })
  await Promise.all(
    files.map(file => {
      const name = basename(file, '.xpkg').replace(/-amd64$/, '')
      return run(programs.crossplaneCli, ['xpkg', 'push', '--package-files', file, `${registry}/bizmatters/${name}:${version}`])
    }),
  )
}

/** An image with one file for a package. KWOK's pods do not run it. */
async function imageOf({ programs }: Cluster, file: string, out: string): Promise<string> {
  const layer = join(out, 'layer.tar')
  const image = join(out, 'image.tar')
  await run('tar', ['-cf', layer, '-C', dirname(file), basename(file)])
  await run(programs.crane, ['append', '--new_layer', layer, '--new_tag', 'image:latest', '--output', image])
  return image
}

/** Builds a third-party package from a folder with its metadata, and pushes it to a name such as `acme/provider:v1`. */
export async function publishPackage(cluster: Cluster, folder: string, program: string, repository: string): Promise<void> {
  const { programs, registry } = cluster
  const out = join(cluster.folder, 'xpkg', basename(repository))
  mkdirSync(out, { recursive: true })
  const file = join(out, 'package.xpkg')
  const image = await imageOf(cluster, program, out)
  const places = ['--package-root', folder, '--examples-root', out, '--package-file', file]
  await run(programs.crossplaneCli, ['xpkg', 'build', ...places, '--embed-runtime-image-tarball', image])
  await run(programs.crossplaneCli, ['xpkg', 'push', '--package-files', file, `${registry}/${repository}`])
}

/** The first commands of docs/install.md: objects that a package cannot contain, the Configuration, and a first claim. */
export function documentedCommands(flavour: Flavour): readonly [string, string, string] {
  const text = readFileSync(join(root, 'docs/install.md'), 'utf8')
  const [runtime, configuration, claim] = /```sh\n([^`]*)```/.exec(text)?.[1]?.trim().split('\n') ?? []
  if (runtime === undefined || configuration === undefined || claim === undefined || !configuration.includes(`${configurations.claims}:`))
    throw new Error('docs/install.md no longer begins with three commands')
  return [runtime, configuration.replace(`${configurations.claims}:`, `${configurations[flavour]}:`), claim]
}

/** Runs a command line of the docs in the root of the project, with the pinned Crossplane CLI and `eds` on the PATH. */
export async function runDocumented({ folder, programs, kubeconfig }: Cluster, line: string, cwd = root): Promise<string> {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, file] of Object.entries({ crossplane: programs.crossplaneCli, eds: join(root, 'dist/eds.js') }))
    if (!existsSync(join(bin, name))) symlinkSync(file, join(bin, name))
  const environment = { ...process.env, PATH: `${bin}:${process.env.PATH}`, KUBECONFIG: kubeconfig }
  const { stdout } = await run('bash', ['-euc', line], { cwd, env: environment, maxBuffer: 1 << 24 })
  return stdout
}

/** Installs the objects that a package cannot contain, then the Configuration, which depends on the Function. */
export async function install(cluster: Cluster, flavour: Flavour): Promise<void> {
  const [runtime, configuration] = documentedCommands(flavour)
  await runDocumented(cluster, runtime)
  // The second command waits until all packages are healthy, which requires a running function.
  await Promise.all([runDocumented(cluster, configuration), ...(cluster.realPods ? [] : [startFunction(cluster, functionName)])])
  await healthy(cluster, flavour)
  cluster.reached(`${configurations[flavour]} is healthy`)
}

const packageOf = (kind: 'Configuration' | 'Function', repository: string, version: string): JsonObject => ({
  apiVersion: 'pkg.crossplane.io/v1',
  kind,
  metadata: { name: installedName(`${REGISTRY}/${repository}`) },
  spec: { package: `${REGISTRY}/${repository}:${version}` },
})

/** Upgrades or downgrades both packages. */
export async function moveTo(cluster: Cluster, flavour: Flavour, version: string): Promise<void> {
  const { kubectl, api, until } = cluster
  const packages = [packageOf('Function', FUNCTION_REPOSITORY, version), packageOf('Configuration', configurations[flavour], version)]
  for (const item of packages) await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(item))
  for (const item of packages)
    await until(`${item.kind} ${version}`, async () => {
      const { spec, status } = await api.get(referenceTo(item))
      return at(spec, 'package') === at(item, 'spec', 'package') && at(status, 'currentIdentifier') === at(spec, 'package')
    })
  await healthy(cluster, flavour)
}

/** Waits until the API is served, too. */
async function healthy({ kubectl, api, until }: Cluster, flavour: Flavour): Promise<void> {
  const wait = (what: string) => kubectl(['wait', what, '--for=condition=Healthy', '--timeout=120s'])
  await Promise.all([
    wait(`configuration.pkg.crossplane.io/${configurationName(flavour)}`),
    wait(`function.pkg.crossplane.io/${functionName}`),
  ])
  await until('the API', () => api.list({ apiVersion: 'platform.bizmatters.io/v1alpha1', kind: 'EventDrivenService' }))
}

/** Starts the function with the certificates that Crossplane issued for it, as the target of its Service. */
export async function startFunction(cluster: Cluster, name: string): Promise<void> {
  const { folder, processes, network, api, until, mount, asUsual } = cluster
  const secret = await until('the revision of the function', async () => {
    const revisions = await api.list({ apiVersion: 'pkg.crossplane.io/v1', kind: 'FunctionRevision' })
    return revisions.map(({ spec }) => at(spec, 'tlsServerSecretName')).find(name => typeof name === 'string')
  })
  const certificates = await mount(NAMESPACE, String(secret))
  const [port, metricsPort] = [await freePort(), await freePort()]
  // A copy, because dist/ may be rebuilt meanwhile.
  const bundle = join(folder, 'function.js')
  copyFileSync(join(root, 'dist/function.js'), bundle)
  processes.start({
    name: FUNCTION,
    file: process.execPath,
    args: [
      ...[bundle, ...(asUsual ? [] : ['--debug']), '--tls-certs-dir', certificates],
      ...['--address', `127.0.0.1:${port}`, '--metrics-address', `127.0.0.1:${metricsPort}`],
    ],
  })
  network.join(`${name}.${NAMESPACE}`, 9443, port)
  await until('the function', async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).ok)
}
