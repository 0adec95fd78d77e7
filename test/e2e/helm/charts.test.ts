// Renders the charts of Istio with the values of package/mesh, by Helm itself.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { at, isObject, items, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { goTool, moduleSources } from '../go-tools.ts'

const execute = promisify(execFile)
const values = (chart: string, environment: string) =>
  fileURLToPath(new URL(`../../../package/mesh/values/${chart}/${environment}.yaml`, import.meta.url))

const folders = { base: 'base', istiod: 'istio-control/istio-discovery', cni: 'istio-cni', gateway: 'gateway' } as const
type Chart = keyof typeof folders

let helm = ''
let charts = ''
beforeAll(async () => {
  helm = await goTool('helm')
  charts = join(await moduleSources('helm/charts', 'istio.io/istio'), 'manifests/charts')
})

async function template(chart: Chart, environment: string): Promise<JsonObject[]> {
  const args = ['template', `istio-${chart}`, join(charts, folders[chart]), '-n', 'istio-system', '-f', values(chart, environment)]
  const { stdout } = await execute(helm, args, { maxBuffer: 64 * 1024 * 1024 })
  return parseAllDocuments(stdout)
    .map(document => document.toJS() as unknown)
    .filter(isObject)
}

/** The object of a kind, whose name starts with `name`. */
const find = (objects: readonly JsonObject[], kind: string, name = '') =>
  objects.find(object => object.kind === kind && String(at(object, 'metadata', 'name')).startsWith(name))

const resources = (object: JsonObject | undefined): Json | undefined => at(object, 'spec', 'template', 'spec', 'containers', 0, 'resources')

describe.each(['development', 'staging', 'production'])('in %s', environment => {
  const given = (chart: Chart) => parse(readFileSync(values(chart, environment), 'utf8')) as JsonObject

  test('base has the kinds of Istio', async () => {
    const objects = await template('base', environment)
    const crds = objects.filter(({ kind }) => kind === 'CustomResourceDefinition').map(object => at(object, 'metadata', 'name'))
    expect(crds).toEqual(expect.arrayContaining(['virtualservices.networking.istio.io', 'telemetries.telemetry.istio.io']))
  })

  test('istiod runs with its resources, and its mesh has the settings', async () => {
    const objects = await template('istiod', environment)
    const deployment = find(objects, 'Deployment', 'istiod')
    expect(resources(deployment)).toEqual(at(given('istiod'), 'resources'))
    const env = items(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'env'))
    expect(env).toContainEqual({ name: 'PILOT_ENABLE_ANALYSIS', value: 'true' })
    expect(env).toContainEqual({ name: 'PILOT_TRACE_SAMPLING', value: String(at(given('istiod'), 'traceSampling')) })
    const mesh = parse(String(at(find(objects, 'ConfigMap', 'istio'), 'data', 'mesh'))) as JsonObject
    expect(mesh).toMatchObject(at(given('istiod'), 'meshConfig') as JsonObject)
    expect(at(find(objects, 'HorizontalPodAutoscaler'), 'spec', 'minReplicas')).toBe(at(given('istiod'), 'autoscaleMin'))
  })

  test('cni runs on every node with its resources', async () => {
    const objects = await template('cni', environment)
    expect(resources(find(objects, 'DaemonSet'))).toEqual(at(given('cni'), 'resources'))
  })

  test('the gateway has the name, the label and the account that the function expects', async () => {
    const objects = await template('gateway', environment)
    const gateway = find(objects, 'Deployment', 'istio-ingressgateway')
    expect(at(gateway, 'spec', 'template', 'metadata', 'labels', 'istio')).toBe('ingressgateway')
    expect(at(gateway, 'spec', 'template', 'spec', 'serviceAccountName')).toBe('istio-ingressgateway')
    expect(resources(gateway)).toEqual(at(given('gateway'), 'resources'))
    expect(find(objects, 'PodDisruptionBudget') !== undefined).toBe(environment !== 'development')
  })
})
