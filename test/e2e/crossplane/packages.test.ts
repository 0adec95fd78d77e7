// Builds the packages with the Crossplane CLI and reads them back: https://github.com/crossplane/crossplane/blob/main/contributing/specifications/xpkg.md
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPackages, installedName } from '../../../scripts/package.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { goTool, versionOf } from '../go-tools.ts'
import { crossplane, documents, root } from './programs.ts'

const folder = mkdtempSync(join(tmpdir(), 'packages-'))
const registry = 'registry.example.org/platform/team'
let files: string[]
let again: string[]

beforeAll(async () => {
  const program = await goTool('crossplane/cli')
  const images = { amd64: emptyImage('amd64'), arm64: emptyImage('arm64') }
  const build = (out: string) => buildPackages({ crossplane: program, registry, version: 'v1.2.3', out: join(folder, out), images })
  files = build('first')
  again = build('second')
  console.log(`built by crossplane CLI ${versionOf('crossplane/cli')}: ${files.map(file => basename(file)).join(', ')}`)
})

afterAll(() => rmSync(folder, { recursive: true }))

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
const tar = (...args: string[]) => execFileSync('tar', args, { maxBuffer: 64 * 1024 * 1024 })

/** An empty docker-archive instead of the real image, which test/e2e/image builds. */
function emptyImage(architecture: string): string {
  const at = join(folder, `image-${architecture}`)
  mkdirSync(at)
  writeFileSync(join(at, 'layer.tar'), Buffer.alloc(1024))
  const diff = `sha256:${sha256(Buffer.alloc(1024))}`
  const config = {
    architecture,
    os: 'linux',
    config: { User: '2000:2000', Entrypoint: ['/node'] },
    rootfs: { type: 'layers', diff_ids: [diff] },
  }
  writeFileSync(join(at, 'config.json'), JSON.stringify(config))
  writeFileSync(join(at, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: ['function:test'], Layers: ['layer.tar'] }]))
  tar('-cf', `${at}.tar`, '-C', at, 'manifest.json', 'config.json', 'layer.tar')
  return `${at}.tar`
}

interface Package {
  readonly config: JsonObject
  /** The files of each annotated layer, by annotation. */
  readonly layers: Readonly<Record<string, readonly string[]>>
  readonly stream: readonly JsonObject[]
}

function readPackage(file: string): Package {
  const opened = mkdtempSync(join(folder, 'opened-'))
  tar('-xf', file, '-C', opened)
  const [{ Config, Layers }] = JSON.parse(readFileSync(join(opened, 'manifest.json'), 'utf8')) as [{ Config: string; Layers: string[] }]
  const config = JSON.parse(readFileSync(join(opened, Config), 'utf8')) as JsonObject
  const labels = Object.entries((at(config, 'config', 'Labels') ?? {}) as Record<string, string>)
  const layers = Object.fromEntries(
    labels
      .filter(([label]) => label.startsWith('io.crossplane.xpkg:'))
      .map(([label, kind]) => {
        const layer = Layers.find(name => name.includes(label.replace('io.crossplane.xpkg:sha256:', ''))) ?? ''
        return [kind, tar('-tzf', join(opened, layer)).toString().trim().split('\n')]
      }),
  )
  const base = labels.find(([, kind]) => kind === 'base')?.[0].replace('io.crossplane.xpkg:sha256:', '')
  const layer = Layers.find(name => base !== undefined && name.includes(base)) ?? ''
  return { config, layers, stream: documents(tar('-xzOf', join(opened, layer), 'package.yaml').toString()) }
}

const packageOf = (name: string) => readPackage(files.find(file => basename(file) === `${name}.xpkg`) ?? '')

test('builds a Configuration for each flavour of the API and a Function for each architecture', () => {
  expect(files.map(file => basename(file))).toEqual([
    'configuration-event-driven-service.xpkg',
    'configuration-event-driven-service-namespaced.xpkg',
    'function-event-driven-service-amd64.xpkg',
    'function-event-driven-service-arm64.xpkg',
  ])
})

test('builds the same bytes from the same sources', () => {
  expect(again.map(file => sha256(readFileSync(file)))).toEqual(files.map(file => sha256(readFileSync(file))))
})

test.each([
  {
    name: 'configuration-event-driven-service',
    kind: 'XEventDrivenService',
    definition: 'apiextensions.crossplane.io/v1',
    core: '>=v1.17.0-0',
  },
  {
    name: 'configuration-event-driven-service-namespaced',
    kind: 'EventDrivenService',
    definition: 'apiextensions.crossplane.io/v2',
    core: '>=v2.0.0-0',
  },
])('$name contains one meta object, the XRD, the Composition, and the examples in a separate layer', ({ name, kind, definition, core }) => {
  const { layers, stream } = packageOf(name)
  expect(layers).toEqual({ base: ['package.yaml'], upbound: ['.up/examples.yaml'] })
  const meta = stream.filter(({ apiVersion }) => String(apiVersion).startsWith('meta.pkg.crossplane.io/'))
  expect(meta).toHaveLength(1)
  expect(meta[0]).toMatchObject({
    apiVersion: 'meta.pkg.crossplane.io/v1',
    kind: 'Configuration',
    metadata: {
      name,
      annotations: {
        'meta.crossplane.io/source': 'https://github.com/bizmatters/event-driven-service',
        'meta.crossplane.io/license': 'Apache-2.0',
        'meta.crossplane.io/maintainer': expect.any(String),
        'meta.crossplane.io/description': expect.any(String),
        'meta.crossplane.io/readme': expect.any(String),
      },
    },
    spec: { crossplane: { version: core }, dependsOn: [{ function: `${registry}/function-event-driven-service`, version: '>=v1.2.3' }] },
  })
  expect(stream.map(object => `${object.apiVersion} ${object.kind}`).sort()).toEqual(
    [
      'apiextensions.crossplane.io/v1 Composition',
      `${definition} CompositeResourceDefinition`,
      'meta.pkg.crossplane.io/v1 Configuration',
    ].sort(),
  )
  const composition = stream.find(object => object.kind === 'Composition')
  expect(at(composition, 'spec', 'compositeTypeRef', 'kind')).toBe(kind)
  // The Composition must call the name under which Crossplane installs the dependency.
  expect(at(composition, 'spec', 'pipeline', 0, 'functionRef', 'name')).toBe('platform-team-function-event-driven-service')
})

test.each(['amd64', 'arm64'])('the function for %s: one meta object, the CRD of its input, and the image that runs', architecture => {
  const { config, layers, stream } = packageOf(`function-event-driven-service-${architecture}`)
  expect(layers).toMatchObject({ base: ['package.yaml'] })
  expect(stream.map(object => `${object.apiVersion} ${object.kind}`).sort()).toEqual([
    'apiextensions.k8s.io/v1 CustomResourceDefinition',
    'meta.pkg.crossplane.io/v1 Function',
  ])
  expect(stream.find(({ kind }) => kind === 'Function')).toMatchObject({
    metadata: { name: 'function-event-driven-service' },
    spec: { capabilities: ['composition'], crossplane: { version: '>=v1.17.0-0' } },
  })
  expect(config).toMatchObject({ architecture, os: 'linux', config: { Entrypoint: ['/node'], User: '2000:2000' } })
})

test.each([
  { repository: 'ghcr.io/bizmatters/function-event-driven-service', name: 'bizmatters-function-event-driven-service' },
  { repository: 'registry.example.org/a/b.c/function-event-driven-service', name: 'a-b-c-function-event-driven-service' },
  { repository: '127.0.0.1:5000/function-event-driven-service', name: 'function-event-driven-service' },
])('names a dependency on $repository $name', ({ repository, name }) => {
  expect(installedName(repository)).toBe(name)
})

test('the CLI rejects a ClusterRole in the Configuration, so package/runtime is separate', async () => {
  const stage = join(folder, 'refused')
  cpSync(join(root, 'package/configuration'), stage, { recursive: true })
  cpSync(join(root, 'package/runtime/rbac/deployment.yaml'), join(stage, 'role.yaml'))
  const { code, errors } = await crossplane('xpkg', 'build', '--package-root', stage, '--package-file', join(folder, 'refused.xpkg'))
  expect(code).not.toBe(0)
  expect(errors).toMatch(/ClusterRole|no kind/)
})
