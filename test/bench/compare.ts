// Checks that two functions render the same resources, because only then their figures can be compared.
import { RunFunctionResponse, Severity } from '@crossplane-org/function-sdk-typescript'
import { isObject, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { put } from '../fixtures/claims.ts'
import { bytesOf, type Calls, type Kind } from './calls.ts'
import type { Connection } from './client.ts'

const show = (value: Json | undefined) => (value === undefined ? 'nothing' : JSON.stringify(value))
const within = (value: Json | undefined) => (Array.isArray(value) || isObject(value) ? Object.entries<Json | undefined>(value) : undefined)

/** The first difference between two values, with both sides. */
export function differenceOf(ours: Json | undefined, theirs: Json | undefined, path = ''): string | undefined {
  const [ourFields, theirFields] = [within(ours), within(theirs)]
  if (ourFields === undefined || theirFields === undefined || Array.isArray(ours) !== Array.isArray(theirs))
    return ours === theirs ? undefined : `${path}: ${show(ours)} and ${show(theirs)}`
  const [left, right] = [new Map(ourFields), new Map(theirFields)]
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const difference = differenceOf(left.get(key), right.get(key), path === '' ? key : `${path}.${key}`)
    if (difference !== undefined) return difference
  }
  return undefined
}

/** Removes differences that have no effect in a cluster and that other functions cannot avoid. */
function normalized(resource: JsonObject, kind: Kind): JsonObject {
  const { annotations, ...metadata } = resource.metadata as JsonObject
  const bare = isObject(annotations) && Object.keys(annotations).length === 0
  const named = bare ? { ...resource, metadata } : resource
  // We set replicas only while a Deployment is new, which other functions cannot express.
  return kind === 'first' && resource.kind === 'Deployment' ? (put(named, ['spec', 'replicas'], undefined) as JsonObject) : named
}

/** The desired resources of a function, by key. */
export async function desiredOf(connection: Connection, calls: Calls, number: number): Promise<JsonObject> {
  const { results, desired } = RunFunctionResponse.decode(await connection.call(bytesOf(calls, number)))
  const fatal = results.find(({ severity }) => severity === Severity.SEVERITY_FATAL)
  if (fatal) throw new Error(`a ${calls.kind} call was refused: ${fatal.message}`)
  const resources = Object.entries(desired?.resources ?? {})
  return Object.fromEntries(resources.map(([key, { resource }]) => [key, normalized(resource as JsonObject, calls.kind)]))
}
