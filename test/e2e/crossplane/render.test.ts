// Compares `crossplane composition render` of every example, through our running function, with the core.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { compositeFile } from '../../../scripts/generate/composites.ts'
import { exampleClaims } from '../../../scripts/generate/examples.ts'
import { at, isObject, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { type Composition, compose } from '../../../src/reconcile/compose.ts'
import type { Observed } from '../../../src/reconcile/observe.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { goTool, versionOf } from '../go-tools.ts'
import { claims, documents, type Flavour, namespaced, type Running, render, root, say, startFunction } from './programs.ts'

const KEY = 'crossplane.io/composition-resource-name'
const folder = mkdtempSync(join(tmpdir(), 'render-'))
let running: Running

beforeAll(async () => {
  await goTool('crossplane/cli')
  await goTool('crossplane/core')
  running = await startFunction()
  console.log(`crossplane CLI ${versionOf('crossplane/cli')}, core ${versionOf('crossplane/core')}, Node ${process.version}`)
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  expect(await running.stop()).toBe(0)
})

const read = (file: string): JsonObject => parse(readFileSync(join(root, file), 'utf8'))

function write(name: string, value: JsonObject | readonly JsonObject[]): string {
  const file = join(folder, name)
  const list: readonly JsonObject[] = Array.isArray(value) ? value : [value]
  writeFileSync(file, list.map(item => stringify(item, { compat: 'yaml-1.1', aliasDuplicateObjects: false })).join('---\n'))
  return file
}

/** The composition of a composite by the core. */
function composed(composite: JsonObject, observed: Observed = {}): Composition {
  const parsed = parseClaim(composite, builtInPlatform)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  return compose(parsed.claim, builtInPlatform, observed)
}

const without = (object: Json | undefined, ...fields: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(isObject(object) ? object : {}).filter(([field]) => !fields.includes(field)))

/** The metadata that Crossplane adds to composed resources, and no other. */
function added(composite: JsonObject, key: string): { annotations: JsonObject; labels: JsonObject; ownerReferences: Json } {
  const labels = at(composite, 'metadata', 'labels')
  return {
    annotations: { [KEY]: key },
    labels: { 'crossplane.io/composite': at(composite, 'metadata', 'name'), ...(isObject(labels) ? labels : {}) },
    ownerReferences: [
      {
        apiVersion: composite.apiVersion,
        kind: composite.kind,
        name: at(composite, 'metadata', 'name'),
        uid: expect.any(String),
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  }
}

/** The desired resources with the metadata that Crossplane adds. */
function asApplied(composition: Composition, composite: JsonObject): Record<string, JsonObject> {
  return Object.fromEntries(
    composition.resources.map(({ key, desired }): [string, JsonObject] => {
      const { annotations, labels, ownerReferences } = added(composite, key)
      const own = (field: string) => without(at(desired, 'metadata', field))
      return [
        key,
        {
          ...desired,
          metadata: {
            ...without(desired.metadata),
            annotations: { ...own('annotations'), ...annotations },
            labels: { ...own('labels'), ...labels },
            ownerReferences,
          },
        },
      ]
    }),
  )
}

const byKey = (resources: readonly JsonObject[]): Record<string, JsonObject> =>
  Object.fromEntries(resources.map(resource => [String(at(resource, 'metadata', 'annotations', KEY)), resource]))

/** Compares the resources and the status of a rendering with the core. */
function expectSame(output: string, composite: JsonObject, composition: Composition): void {
  const [rendered, ...resources] = documents(output)
  expect(byKey(resources)).toEqual(asApplied(composition, composite))
  const conditions = at(rendered, 'status', 'conditions')
  const ours = Array.isArray(conditions) ? conditions.filter(c => !['Ready', 'Synced', 'Responsive'].includes(String(at(c, 'type')))) : []
  expect(ours.map(c => without(c, 'lastTransitionTime'))).toEqual(
    composition.conditions.map(({ type, ready, reason, message }) => ({ type, status: ready ? 'True' : 'False', reason, message })),
  )
  expect(without(at(rendered, 'status'), 'conditions', 'claimConditionTypes', 'crossplane')).toEqual(composition.status)
}

interface Case {
  readonly name: string
  readonly flavour: Flavour
  readonly file: string
}

/** The Composition has no input. */
const withoutInput = exampleClaims().filter(({ input }) => input === undefined)
const cases: Case[] = withoutInput.flatMap(example => [
  { name: `${compositeFile(example)} (claims)`, flavour: claims, file: compositeFile(example) },
  // Without claims the example itself is the composite.
  ...(example.alone ? [{ name: `${example.file} (namespaced)`, flavour: namespaced, file: example.file }] : []),
])

describe('every example', () => {
  test.each(cases)('$name: the core says the same', async ({ flavour, file }) => {
    const { code, output, errors } = await render(running.port, flavour, file)
    expect(errors).toBe('')
    expect(code).toBe(0)
    expectSame(output, read(file), composed(read(file)))
  })

  test('eds render prints the same resources', async () => {
    const file = 'examples/full-claim.yaml'
    const { output: ours } = await say(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'render', file])
    const { output: theirs } = await render(running.port, namespaced, file)
    const kindAndName = (resource: JsonObject) => `${resource.kind} ${at(resource, 'metadata', 'name')}`
    const bare = (resource: JsonObject) => {
      const metadata = without(resource.metadata, 'ownerReferences')
      const labels = without(metadata.labels, 'crossplane.io/composite')
      const annotations = without(metadata.annotations, KEY)
      const { annotations: _, ...rest } = metadata
      return { ...resource, metadata: { ...rest, labels, ...(Object.keys(annotations).length > 0 && { annotations }) } }
    }
    const sorted = (resources: readonly JsonObject[]) => [...resources].sort((a, b) => (kindAndName(a) < kindAndName(b) ? -1 : 1))
    const manifests = documents(ours).filter(({ kind }) => kind !== 'EventDrivenService')
    expect(sorted(manifests)).toEqual(sorted(documents(theirs).slice(1).map(bare)))
  })
})

/** The resources of a first rendering as a cluster reports them later. */
const observedFrom = (output: string, status: Readonly<Record<string, JsonObject>>): JsonObject[] =>
  documents(output)
    .slice(1)
    .map(resource => {
      const key = String(at(resource, 'metadata', 'annotations', KEY))
      return status[key] === undefined ? resource : { ...resource, status: status[key] }
    })

const RUNS: Readonly<Record<string, JsonObject>> = {
  deployment: {
    observedGeneration: 1,
    replicas: 5,
    readyReplicas: 5,
    updatedReplicas: 5,
    availableReplicas: 5,
    conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: '' }],
  },
  scaledobject: { conditions: [{ type: 'Ready', status: 'True', reason: 'ScaledObjectReady', message: '' }] },
}

describe('observed resources', () => {
  test.each([claims, namespaced])('$says: ready resources make the composite ready, and KEDA keeps the replica count', async flavour => {
    const file = flavour === claims ? 'examples/xr/minimal.yaml' : 'examples/minimal-claim.yaml'
    const first = await render(running.port, flavour, file)
    const there = observedFrom(first.output, RUNS)
    const observed = byKey(there)
    const second = await render(running.port, flavour, file, '--observed-resources', write(`${flavour.says}.yaml`, there))
    expect(second.errors).toBe('')
    expectSame(second.output, read(file), composed(read(file), observed))
    const [composite, ...resources] = documents(second.output)
    expect(at(composite, 'status', 'conditions')).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }))
    expect(at(byKey(resources), 'deployment', 'spec', 'replicas')).toBeUndefined()
  })

  test('reports a failing trigger, and the composite is not ready', async () => {
    const first = await render(running.port, claims, 'examples/xr/minimal.yaml')
    const broken = { conditions: [{ type: 'Ready', status: 'False', reason: 'TriggerError', message: 'Triggers are not working.' }] }
    const there = write('broken.yaml', observedFrom(first.output, { ...RUNS, scaledobject: broken }))
    const [composite] = documents((await render(running.port, claims, 'examples/xr/minimal.yaml', '-o', there)).output)
    expect(at(composite, 'status', 'conditions')).toContainEqual(
      expect.objectContaining({ type: 'ScalingReady', status: 'False', reason: 'TriggerError' }),
    )
    expect(at(composite, 'status', 'conditions')).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False' }))
  })
})

describe('rejects', () => {
  test('an invalid claim with one fatal result that lists every finding', async () => {
    const valid = read('examples/xr/minimal.yaml')
    const file = write('invalid.yaml', { ...valid, spec: { ...without(valid.spec), image: 'my image', size: 'xlarge' } })
    const { code, output, errors } = await render(running.port, claims, file)
    expect(code).toBe(1)
    expect(output).toBe('')
    expect(errors).toContain('pipeline step "render" returned a fatal result: ')
    expect(errors).toContain(
      "spec.image: must be a valid container image such as 'ghcr.io/acme/orders-worker:1.4.2', got 'my image' [BAD_FORMAT]",
    )
    expect(errors).toContain("spec.size: must be one of [micro, small, medium, large], got 'xlarge'")
  })

  test('an invalid function input with a result that names the Composition', async () => {
    const composition = read(claims.composition)
    const pipeline = at(composition, 'spec', 'pipeline')
    const steps = (Array.isArray(pipeline) ? pipeline : []).map((step: Json) =>
      isObject(step) ? { ...step, input: { ...without(step.input), composeAs: 'Helm' } } : step,
    )
    const broken = write('composition.yaml', { ...composition, spec: { ...without(composition.spec), pipeline: steps } })
    const { code, errors } = await render(running.port, { ...claims, composition: broken }, 'examples/xr/minimal.yaml')
    expect(code).toBe(1)
    expect(errors).toContain('the input of the function in the Composition is invalid: composeAs: ')
  })
})
