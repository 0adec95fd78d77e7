// A cluster in a few lines: what Crossplane and the controllers would do with our answers, one step at a time.
import { isDeepStrictEqual } from 'node:util'
import { Capability, Ready, RunFunctionRequest, type RunFunctionResponse, Severity, Status } from '@crossplane-org/function-sdk-typescript'
import { runFunction } from '../src/function/run.ts'
import { at, isObject, type Json, type JsonObject } from '../src/json.ts'
import { type ClaimDocument, compositeOf, put as putAny } from './claims.ts'

const conditions: Readonly<Record<string, string>> = { Deployment: 'Available', Service: '', ServiceAccount: '' }

/** As Crossplane 2.3 says it. */
const CAPABILITIES = [
  Capability.CAPABILITY_CAPABILITIES,
  Capability.CAPABILITY_REQUIRED_RESOURCES,
  Capability.CAPABILITY_CREDENTIALS,
  Capability.CAPABILITY_CONDITIONS,
  Capability.CAPABILITY_REQUIRED_SCHEMAS,
]
const MOST_ROUNDS = 5

const map = <T, U>(object: { readonly [key: string]: T }, change: (value: T) => U): { [key: string]: U } =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))

const put = (object: JsonObject, path: readonly string[], to: Json) => putAny(object, path, to) as JsonObject

export class ControlLoop {
  /** What is there, by key. */
  readonly objects = new Map<string, JsonObject>()
  /** What else is in the cluster. */
  readonly others: JsonObject[] = []
  /** Kinds that it does not know. */
  readonly unknownKinds = new Set<string>()
  #conditions: JsonObject[] = []

  claim: ClaimDocument

  constructor(claim: ClaimDocument) {
    this.claim = claim
  }

  /** What the function is told about itself: what it said before. */
  get composite(): JsonObject {
    return { ...compositeOf(this.claim), status: { conditions: this.#conditions } }
  }

  /** One call of the function, and what Crossplane does with the answer. */
  reconcile() {
    const observed = Object.fromEntries(
      [...this.objects].map(([key, resource]) => [
        key,
        { resource: structuredClone(resource), connectionDetails: {}, ready: Ready.READY_UNSPECIFIED },
      ]),
    )
    const request: RunFunctionRequest = {
      ...RunFunctionRequest.fromPartial({}),
      observed: { composite: { resource: this.composite, connectionDetails: {}, ready: Ready.READY_UNSPECIFIED }, resources: observed },
    }
    const response = this.#run(request)
    const desired = new Map(Object.entries(response.desired?.resources ?? {}).map(([key, { resource }]) => [key, resource as JsonObject]))
    for (const key of this.objects.keys()) if (!desired.has(key)) this.#delete(key)
    for (const [key, manifest] of desired) this.#apply(key, manifest)
    this.#say(response)
    const workload = response.conditions.find(({ type }) => type === 'WorkloadReady')
    return {
      keys: [...desired.keys()],
      desired,
      // As Crossplane has it: what the function says of the composite, else what it says of every resource.
      ready:
        response.desired?.composite?.ready !== Ready.READY_FALSE &&
        Object.entries(response.desired?.resources ?? {}).every(([, { ready }]) => ready === Ready.READY_TRUE),
      reason: workload?.reason,
      message: workload?.message,
      results: response.results,
    }
  }

  /** Asks until the function asks for nothing new. */
  #run(request: RunFunctionRequest): RunFunctionResponse {
    let asked: RunFunctionResponse['requirements']
    for (let round = 0; round <= MOST_ROUNDS; round++) {
      const { resources = {}, schemas = {} } = asked ?? {}
      const response = runFunction({
        ...request,
        meta: { tag: '', capabilities: CAPABILITIES },
        requiredResources: map(resources, ({ apiVersion, kind, matchName, namespace }) => {
          if (this.unknownKinds.has(kind)) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`)
          const found = [...this.objects.values(), ...this.others].filter(
            object =>
              object.apiVersion === apiVersion &&
              object.kind === kind &&
              at(object, 'metadata', 'name') === matchName &&
              at(object, 'metadata', 'namespace') === namespace,
          )
          return { items: found.map(resource => ({ resource, connectionDetails: {}, ready: Ready.READY_UNSPECIFIED })) }
        }),
        requiredSchemas: map(schemas, ({ kind }) => (this.unknownKinds.has(kind) ? {} : { openapiV3: {} })),
      })
      if (isDeepStrictEqual(response.requirements, asked)) return response
      asked = response.requirements
    }
    throw new Error("what the function asks for didn't stabilize")
  }

  /** Crossplane keeps what was said once; after a fatal result it does not know what of it still holds. */
  #say({ conditions, results }: RunFunctionResponse): void {
    const said = conditions.map(({ type, status, reason, message }) => ({
      type,
      status: status === Status.STATUS_CONDITION_TRUE ? 'True' : 'False',
      reason,
      message: message ?? '',
    }))
    const isFatal = results.some(({ severity }) => severity === Severity.SEVERITY_FATAL)
    const kept = this.#conditions
      .filter(({ type }) => !said.some(now => now.type === type))
      .map(before => (isFatal ? { ...before, status: 'Unknown', reason: 'FatalError', message: '' } : before))
    this.#conditions = [...kept, ...said]
  }

  /** Its controller has made it work. */
  becomesReady(...keys: string[]): this {
    for (const key of keys) {
      const object = this.objects.get(key)
      if (object === undefined) throw new Error(`${key} is not there`)
      const type =
        object.apiVersion === 'apps/v1' ? 'Available' : conditions[String(object.kind)] === '' && object.apiVersion === 'v1' ? '' : 'Ready'
      const status = {
        observedGeneration: at(object, 'metadata', 'generation') ?? 1,
        conditions: type === '' ? [] : [{ type, status: 'True' }],
      }
      this.objects.set(key, { ...object, status })
    }
    return this
  }

  becomesUnready(key: string): this {
    const object = this.objects.get(key)
    if (object)
      this.objects.set(
        key,
        put(
          object,
          ['status', 'conditions'],
          [{ type: object.apiVersion === 'apps/v1' ? 'Available' : 'Ready', status: 'False', reason: 'Broken', message: 'broken' }],
        ),
      )
    return this
  }

  /** What was being deleted is gone. */
  isGone(...keys: string[]): this {
    for (const key of keys) {
      if (!this.isLeaving(key)) throw new Error(`${key} is not being deleted`)
      this.objects.delete(key)
    }
    return this
  }

  isReady = (key: string) => at(this.objects.get(key), 'status', 'conditions', 0, 'status') === 'True'

  isLeaving = (key: string) => at(this.objects.get(key), 'metadata', 'deletionTimestamp') !== undefined

  #delete(key: string) {
    const object = this.objects.get(key)
    // Crossplane deletes in the foreground: the object stays until what it owns is gone.
    if (object) this.objects.set(key, put(object, ['metadata', 'deletionTimestamp'], '2026-01-01T00:00:00Z'))
  }

  #apply(key: string, manifest: JsonObject) {
    const before = this.objects.get(key)
    if (before === undefined) {
      this.objects.set(key, put(manifest, ['metadata', 'generation'], 1))
      return
    }
    const count = at(before, 'spec', 'replicas')
    const spec = { ...(isObject(manifest.spec) ? manifest.spec : {}), ...(count !== undefined && { replicas: count }) }
    const changed = !isDeepStrictEqual(spec, before.spec ?? {})
    const generation = Number(at(before, 'metadata', 'generation')) + (changed ? 1 : 0)
    const { deletionTimestamp } = (before.metadata ?? {}) as JsonObject
    const metadata = { ...(manifest.metadata as JsonObject), generation, ...(deletionTimestamp !== undefined && { deletionTimestamp }) }
    this.objects.set(key, { ...before, ...manifest, metadata, ...(manifest.spec !== undefined && { spec }) })
  }
}
