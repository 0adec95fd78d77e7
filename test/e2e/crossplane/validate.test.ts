// Runs `crossplane resource validate` on the API, every example and all their resources, against the CRDs of Crossplane, KEDA,
// Knative, Istio and the Gateway API. Downloads nothing: Crossplane's schemas come from the sources of its core.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { compositeFile } from '../../../scripts/generate/composites.ts'
import { exampleClaims } from '../../../scripts/generate/examples.ts'
import { at, isObject, items, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { goTool, moduleSources, versionOf } from '../go-tools.ts'
import { claims, crossplane, documents, type Flavour, namespaced, type Running, render, root, startFunction } from './programs.ts'

const folder = mkdtempSync(join(tmpdir(), 'validate-'))
const cache = join(folder, 'cache')
let running: Running

beforeAll(async () => {
  await goTool('crossplane/cli')
  await goTool('crossplane/core')
  // The cache that the CLI reads before it pulls Crossplane's image.
  const image = join(cache, 'xpkg.crossplane.io/crossplane/crossplane@stable')
  mkdirSync(image, { recursive: true })
  const crds = join(await moduleSources('crossplane/core', 'github.com/crossplane/crossplane/v2'), 'cluster/crds')
  const files = readdirSync(crds).filter(name => name.endsWith('.yaml'))
  writeFileSync(join(image, 'package.yaml'), files.map(name => readFileSync(join(crds, name), 'utf8')).join('\n---\n'))
  running = await startFunction()
  console.log(
    `crossplane CLI ${versionOf('crossplane/cli')}, CRDs of core ${versionOf('crossplane/core')}, KEDA ${versionOf('crossplane/keda')}`,
  )
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  await running.stop()
})

/** A folder with the CRDs of a cluster with this flavour. */
async function extensions({ says, definition }: Flavour): Promise<string> {
  const extended = join(folder, `extensions-${says}`)
  mkdirSync(extended)
  const keda = join(await moduleSources('crossplane/keda'), 'config/crd/bases')
  const serving = join(await moduleSources('knative/admission', 'knative.dev/serving'), 'config/core/300-resources')
  const eventing = join(await moduleSources('knative/admission', 'knative.dev/eventing'), 'config/core/resources')
  const istio = join(await moduleSources('crossplane/mesh', 'istio.io/api'), 'kubernetes')
  const gateways = join(await moduleSources('crossplane/mesh', 'sigs.k8s.io/gateway-api'), 'config/crd/standard')
  const operator = 'github.com/prometheus-operator/prometheus-operator'
  const monitoring = join(await moduleSources('observability/programs/prometheus-operator', operator), 'example/prometheus-operator-crd')
  const grafana = join(await moduleSources('crossplane/grafana'), 'config/crd/bases')
  const shipwright = join(await moduleSources('crossplane/build', 'github.com/shipwright-io/build'), 'deploy/crds')
  const flux = join(await moduleSources('crossplane/build', 'github.com/fluxcd/source-controller'), 'config/crd/bases')
  const files = [
    join(root, definition),
    join(root, 'package/function/input/inputs.yaml'),
    join(root, 'test/e2e/knative/crds/kafka-source.yaml'),
    join(keda, 'keda.sh_scaledobjects.yaml'),
    join(serving, 'service.yaml'),
    join(eventing, 'broker.yaml'),
    join(eventing, 'trigger.yaml'),
    join(istio, 'customresourcedefinitions.gen.yaml'),
    join(gateways, 'gateway.networking.k8s.io_httproutes.yaml'),
    join(gateways, 'gateway.networking.k8s.io_listenersets.yaml'),
    join(monitoring, 'monitoring.coreos.com_podmonitors.yaml'),
    join(monitoring, 'monitoring.coreos.com_prometheusrules.yaml'),
    join(grafana, 'grafana.integreatly.org_grafanadashboards.yaml'),
    join(shipwright, 'shipwright.io_buildruns.yaml'),
    join(flux, 'source.toolkit.fluxcd.io_gitrepositories.yaml'),
  ]
  for (const [index, file] of files.entries()) copyFileSync(file, join(extended, `${index}.yaml`))
  return extended
}

interface Verdict {
  readonly summary: { readonly total: number; readonly valid: number; readonly invalid: number; readonly missingSchemas: number }
  readonly resources: readonly {
    readonly kind: string
    readonly name: string
    readonly status: string
    readonly errors?: readonly JsonObject[]
  }[]
}

async function validate(extended: string, resources: string): Promise<Verdict> {
  const { output, errors } = await crossplane(
    ...['resource', 'validate', extended, resources, '--cache-dir', cache, '--error-on-missing-schemas', '--output', 'json'],
  )
  if (output === '') throw new Error(errors)
  return JSON.parse(output) as Verdict
}

function write(name: string, resources: readonly JsonObject[]): string {
  const file = join(folder, name)
  writeFileSync(file, resources.map(resource => stringify(resource, { compat: 'yaml-1.1', aliasDuplicateObjects: false })).join('---\n'))
  return file
}

const yamlFiles = (path: string): string[] =>
  readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.yaml'))
    .map(name => join(path, name))

const read = (file: string) => documents(readFileSync(join(root, file), 'utf8'))
const examples = exampleClaims()

/** The flavour with the input of a platform in its Composition. */
function withInput(flavour: Flavour, input: JsonObject | undefined, name: string): Flavour {
  if (input === undefined) return flavour
  const [composition = {}] = read(flavour.composition)
  const pipeline = items(at(composition, 'spec', 'pipeline')).map(step => (isObject(step) ? { ...step, input } : step))
  const spec = { ...(isObject(composition.spec) && composition.spec), pipeline }
  return { ...flavour, composition: write(`${flavour.says}-${name.replaceAll('/', '-')}`, [{ ...composition, spec }]) }
}
const extended = new Map<Flavour, string>()

describe.each([claims, namespaced])('$says', flavour => {
  beforeAll(async () => {
    extended.set(flavour, await extensions(flavour))
  })
  const known = () => extended.get(flavour) ?? ''

  test('accepts the API, the packages, package/runtime and the examples', async () => {
    const metadata = flavour === claims ? 'package/configuration/crossplane.yaml' : 'package/configuration-namespaced/crossplane.yaml'
    const files = [
      flavour.definition,
      flavour.composition,
      'examples/functions.yaml',
      'examples/platform-input.yaml',
      ...yamlFiles('package/runtime'),
      ...yamlFiles('package/verification'),
    ]
    const composites = flavour === claims ? examples.map(example => compositeFile(example)) : []
    const resources = [...[...files, ...composites].flatMap(read), ...examples.map(({ claim }) => claim)]
    const { summary, resources: judged } = await validate(known(), write(`${flavour.says}.yaml`, resources))
    expect(judged.filter(({ status }) => status !== 'valid')).toEqual([])
    expect(summary).toMatchObject({ invalid: 0, missingSchemas: 0 })
    expect(summary.total).toBeGreaterThanOrEqual(resources.length)
    // The CLI has no schema for package metadata, and validates it when it builds a package.
    expect(read(metadata)[0]?.kind).toBe('Configuration')
  })

  test('accepts all resources of the examples', async () => {
    const rendered: JsonObject[] = []
    for (const example of examples) {
      const file = flavour === claims ? compositeFile(example) : example.file
      if (flavour === namespaced && !example.alone) continue
      const { output } = await render(running.port, withInput(flavour, example.input, file), file, '--include-full-xr')
      rendered.push(...documents(output))
    }
    const { summary, resources } = await validate(known(), write(`${flavour.says}-rendered.yaml`, rendered))
    expect(resources.filter(({ status }) => status !== 'valid')).toEqual([])
    expect(summary).toMatchObject({ total: rendered.length, valid: rendered.length, invalid: 0, missingSchemas: 0 })
    console.log(`${flavour.says}: ${rendered.length} rendered objects of ${new Set(rendered.map(({ kind }) => kind)).size} kinds are valid`)
  })

  test("accepts a dashboard of Grafana's operator", async () => {
    const input = { ...read('examples/observability/dashboards/platform-input.yaml')[0], observability: { dashboards: 'GrafanaDashboard' } }
    const [example] = examples.filter(({ file }) => file === 'examples/minimal-claim.yaml')
    if (example === undefined) throw new Error('there is no such example')
    const file = flavour === claims ? compositeFile(example) : example.file
    const { output } = await render(running.port, withInput(flavour, input, `grafana-${file}`), file, '--include-full-xr')
    const { resources } = await validate(known(), write(`${flavour.says}-grafana.yaml`, documents(output)))
    expect(resources.filter(({ status }) => status !== 'valid')).toEqual([])
    expect(resources.map(({ kind }) => kind)).toContain('GrafanaDashboard')
  })

  const minimal = read('examples/minimal-claim.yaml')[0] ?? {}
  const spec = (fields: JsonObject): JsonObject => ({ ...minimal, spec: { ...(isObject(minimal.spec) ? minimal.spec : {}), ...fields } })
  test.each<{ says: string; claim: JsonObject; field: string; type: string }>([
    { says: 'an unknown field', claim: spec({ imag: 'x' }), field: 'spec.imag', type: 'unknownField' },
    { says: 'a stream with a dot', claim: spec({ nats: { stream: 'a.b', consumer: 'c' } }), field: 'spec.nats.stream', type: 'schema' },
    {
      says: 'a minimum above the maximum',
      claim: spec({ scaling: { minReplicas: 3, maxReplicas: 2 } }),
      field: 'spec.scaling.maxReplicas',
      type: 'cel',
    },
  ])('rejects $says at $field', async ({ says, claim, field, type }) => {
    const { resources } = await validate(known(), write(`${flavour.says}-${says}.yaml`, [claim]))
    const errors: Json = (resources[0]?.errors ?? []).map(error => ({ field: at(error, 'field'), type: at(error, 'type') }))
    expect(errors).toEqual(expect.arrayContaining([{ field, type }]))
  })
})

test('the ClusterRoles use the plurals of the CRDs', async () => {
  const crds = (await Promise.all([claims].map(() => extensions({ ...claims, says: 'roles' }))))
    .flatMap(path => readdirSync(path).map(name => readFileSync(join(path, name), 'utf8')))
    .flatMap(documents)
  const known = new Set(crds.map(crd => `${at(crd, 'spec', 'group')}/${at(crd, 'spec', 'names', 'plural')}`))
  const rules = yamlFiles('package/runtime/rbac').flatMap(file => read(file).flatMap(role => at(role, 'rules') as Json[]))
  const named = rules.flatMap(rule => {
    const [group] = at(rule, 'apiGroups') as string[]
    return (at(rule, 'resources') as string[]).map(plural => `${group}/${plural.replace('/status', '')}`)
  })
  expect(named.filter(kind => kind.includes('.') && !known.has(kind))).toEqual([])
  expect(named).toEqual(expect.arrayContaining(['/serviceaccounts', '/services', 'apps/deployments', 'keda.sh/scaledobjects']))
})
