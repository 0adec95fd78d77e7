// The properties 2, 17 and 18 of the requirement, of the installation of Istio, and that its files fit together and fit the examples.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { mesh } from '../../src/capabilities/mesh/index.ts'
import { at, isObject, items, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { parseQuantity } from '../../src/kubernetes/quantity.ts'

const root = fileURLToPath(new URL('../../package/mesh/', import.meta.url))
const text = (file: string) => readFileSync(root + file, 'utf8')
const read = (file: string) => parse(text(file)) as JsonObject

const environments = ['development', 'staging', 'production']
const charts = ['base', 'istiod', 'cni', 'gateway']
const values = (chart: string, environment: string) => read(`values/${chart}/${environment}.yaml`)
const all = environments.flatMap(environment => charts.map(chart => ({ chart, environment })))

test('has values of every chart for every environment', () => {
  const files = readdirSync(`${root}values`, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.yaml'))
  expect(files.map(name => name.replaceAll('\\', '/')).sort()).toEqual(
    all.map(({ chart, environment }) => `${chart}/${environment}.yaml`).sort(),
  )
})

describe.each(environments)('in %s', environment => {
  const istiod = values('istiod', environment)

  test('2: istiod asks for 500m to 2 CPUs and 512Mi to 2Gi', () => {
    for (const kind of ['requests', 'limits']) {
      const quantity = (name: string) => parseQuantity(String(at(istiod, 'resources', kind, name)))
      const between = (name: string, least: string, most: string) => {
        expect(quantity(name)).toBeGreaterThanOrEqual(parseQuantity(least) ?? Number.NaN)
        expect(quantity(name)).toBeLessThanOrEqual(parseQuantity(most) ?? Number.NaN)
      }
      between('cpu', '500m', '2')
      between('memory', '512Mi', '2Gi')
    }
  })

  test.each(charts.filter(chart => chart !== 'base'))('2: %s never asks for more than its limit', chart => {
    const resources = at(values(chart, environment), 'resources')
    for (const name of ['cpu', 'memory']) {
      const [request, limit] = ['requests', 'limits'].map(kind => parseQuantity(String(at(resources, kind, name))))
      expect(request).toBeLessThanOrEqual(limit ?? Number.NaN)
    }
  })

  test('13, 14, 20: has the sampling, JSON logs and egress of spec.mesh, and the providers of the example input', () => {
    const config = at(istiod, 'meshConfig')
    expect(at(istiod, 'traceSampling')).toBe({ development: 10, staging: 5 }[environment] ?? 1)
    expect(at(config, 'accessLogEncoding')).toBe('JSON')
    expect(at(config, 'outboundTrafficPolicy', 'mode')).toBe(environment === 'production' ? 'REGISTRY_ONLY' : 'ALLOW_ANY')
    const input = parse(
      readFileSync(fileURLToPath(new URL('../../examples/mesh/platform-input.yaml', import.meta.url)), 'utf8'),
    ) as JsonObject
    const providers = items(at(config, 'extensionProviders')).map(provider => at(provider, 'name'))
    for (const field of ['tracingProvider', 'accessLogProvider']) expect(providers).toContain(at(input, 'mesh', field))
  })
})

describe('Argo CD', () => {
  const set = read('argo-cd/applicationset.yaml')
  const template = at(set, 'spec', 'template')

  test('installs every chart in its order', () => {
    const [, list] = items(at(set, 'spec', 'generators', 0, 'matrix', 'generators'))
    const elements = items(at(list, 'list', 'elements'))
    expect(elements.map(element => at(element, 'chart'))).toEqual(charts)
    const waves = elements.map(element => Number(at(element, 'wave')))
    expect(waves).toEqual([...waves].sort())
    expect(items(at(template, 'spec', 'sources', 0, 'helm', 'valueFiles'))).toEqual([
      '$values/package/mesh/values/{{.chart}}/{{.metadata.labels.environment}}.yaml',
    ])
  })

  test('17: knows the health of every kind of Istio that a claim renders', () => {
    const keys = Object.keys(at(read('argo-cd/argocd-cm.yaml'), 'data') as JsonObject)
    const istio = mesh.kinds.filter(({ apiVersion }) => apiVersion.includes('.istio.io/'))
    const wanted = istio.map(({ apiVersion, kind }) => `resource.customizations.health.${apiVersion.split('/')[0]}_${kind}`)
    expect(keys.sort()).toEqual(wanted.sort())
  })

  test('17: judges health by health.lua', () => {
    const [, ...lines] = text('argo-cd/health.lua').split('\n')
    const data = at(read('argo-cd/argocd-cm.yaml'), 'data') as JsonObject
    for (const script of Object.values(data)) expect(script).toBe(lines.join('\n'))
  })

  test('18: syncs production by hand, and the others by itself', () => {
    expect(at(template, 'spec', 'syncPolicy', 'automated')).toBeUndefined()
    const patch = String(at(set, 'spec', 'templatePatch'))
    const [, condition, body = ''] = /^\{\{- if (.*) \}\}\n([\s\S]*)\{\{- end \}\}\n$/.exec(patch) ?? []
    expect(condition).toBe('ne .metadata.labels.environment "production"')
    expect(parse(body)).toEqual({ spec: { syncPolicy: { automated: { prune: true, selfHeal: true } } } })
  })

  test('notifies of every trigger that an annotation subscribes to', () => {
    const data = at(read('argo-cd/notifications.yaml'), 'data') as JsonObject
    const annotations = Object.keys(at(template, 'metadata', 'annotations') as JsonObject)
    const triggers = annotations.flatMap(name => /^notifications\.argoproj\.io\/subscribe\.(.+)\.slack$/.exec(name)?.[1] ?? [])
    expect(triggers.map(name => `trigger.${name}`).sort()).toEqual(
      Object.keys(data)
        .filter(key => key.startsWith('trigger.'))
        .sort(),
    )
    const sent = Object.entries(data).flatMap(([key, value]) =>
      key.startsWith('trigger.') ? items(parse(String(value)) as Json).flatMap(one => items(at(one, 'send'))) : [],
    )
    for (const name of sent) expect(data).toHaveProperty([`template.${name}`])
  })
})

test('1: labels the namespaces of pods, and not that of istiod', () => {
  const names = parseAllDocuments(text('namespaces.yaml')).map(document => at(document.toJS(), 'metadata', 'name'))
  const [patch] = items(at(read('kustomization.yaml'), 'patches'))
  const target = new RegExp(`^(?:${at(patch, 'target', 'name')})$`)
  expect(names.filter(name => target.test(String(name)))).toEqual(names.filter(name => name !== 'istio-system'))
  const [operation] = items(parse(String(at(patch, 'patch'))) as Json)
  expect(isObject(operation) && operation.value).toEqual({ 'istio-injection': 'enabled' })
})
