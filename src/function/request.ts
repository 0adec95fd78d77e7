import type { RunFunctionRequest } from '@crossplane-org/function-sdk-typescript'
import type { Observed } from '../compose.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'

/** What of a request the core works on. */
export interface Question {
  readonly composite: JsonObject
  readonly observed: Observed
  readonly input: Json | undefined
}

/** Undefined where there is no composite to answer for. */
export function read({ observed, input }: RunFunctionRequest): Question | undefined {
  const composite: unknown = observed?.composite?.resource
  if (!isObject(composite)) return undefined
  const resources = Object.entries(observed?.resources ?? {}).flatMap(([key, { resource }]): [string, JsonObject][] =>
    isObject(resource) ? [[key, resource]] : [],
  )
  return { composite, observed: Object.fromEntries(resources), input }
}
