// Stands in for the first version of the function: it answers like this one, but in one namespace with the manifests that the first
// version rendered for the examples. suite/upgrade.ts bundles it, and runs it instead of the function.
import type { Resource } from '@crossplane-org/function-sdk-typescript'
import type { Handler } from '../../../src/function/handler.ts'
import { createLog } from '../../../src/function/log.ts'
import { parseOptions } from '../../../src/function/options.ts'
import { runFunction } from '../../../src/function/run-function.ts'
import { startServer } from '../../../src/function/server.ts'
import { at, isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import baseline from '../../golden/baseline.json' with { type: 'json' }

/** The resources of each example by their key. */
const examples = new Map<string, Map<string, JsonObject>>()
for (const [name, manifest] of Object.entries(baseline as Readonly<Record<string, unknown>>)) {
  const [example = '', key = ''] = name.split(' ')
  const resources = examples.get(example) ?? new Map<string, JsonObject>()
  examples.set(example, resources)
  if (isObject(manifest)) resources.set(key, manifest)
}

const NAMESPACE = process.env.FIRST_VERSION_NAMESPACE

const metadataOf = (resource: unknown) => (isObject(resource) ? at(resource, 'metadata') : undefined)

/** The first version's manifest, with the namespace and the replica count of this version's. */
function asFirst(manifest: JsonObject, now: JsonObject): JsonObject {
  const { replicas: _, ...spec } = isObject(manifest.spec) ? manifest.spec : {}
  const replicas = at(now, 'spec', 'replicas')
  return {
    ...manifest,
    metadata: { ...(manifest.metadata as JsonObject), namespace: at(now, 'metadata', 'namespace') },
    ...(manifest.kind === 'Deployment' ? { spec: { ...(replicas !== undefined && { replicas }), ...spec } } : {}),
  }
}

const firstVersion: Handler = (request, withOwners) => {
  const answer = runFunction(request, withOwners)
  const now = answer.desired?.resources ?? {}
  const deployment = metadataOf(now.deployment?.resource)
  if (answer.desired === undefined || at(deployment, 'namespace') !== NAMESPACE) return answer
  const first = [...examples.values()].find(one => at(metadataOf(one.get('deployment')), 'name') === at(deployment, 'name'))
  if (first === undefined) return answer
  const resources = Object.entries(now).flatMap(([key, resource]): [string, Resource][] => {
    const manifest = first.get(key)
    return manifest === undefined || !isObject(resource.resource)
      ? []
      : [[key, { ...resource, resource: asFirst(manifest, resource.resource) }]]
  })
  return { ...answer, desired: { ...answer.desired, resources: Object.fromEntries(resources) } }
}

const command = parseOptions(process.argv.slice(2), process.env)
if (command.do !== 'serve') throw new Error('the stand-in has no other command')
const log = createLog({ debugging: command.options.debug })
await startServer(firstVersion, command.options, log)
log.info('the first version listens')
