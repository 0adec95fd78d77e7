// A client of the API server, because starting kubectl for a thousand requests takes too long.
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { createInterface } from 'node:readline'
import { at, isObject, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'

/** The error of the API server. */
export class ApiError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export interface Reference {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name?: string | undefined
}

export interface Event {
  readonly type: string
  readonly object: JsonObject
}

export interface Watch {
  readonly stop: () => void
}

export interface Api {
  readonly call: (method: string, path: string, body?: Json, contentType?: string) => Promise<JsonObject>
  readonly get: (reference: Reference) => Promise<JsonObject>
  /** The object, or undefined if it does not exist. */
  readonly find: (reference: Reference) => Promise<JsonObject | undefined>
  readonly list: (reference: Reference, query?: string) => Promise<JsonObject[]>
  /** Like `kubectl apply --server-side`: rejects unknown fields. */
  readonly apply: (manifest: JsonObject, options?: { readonly dryRun?: boolean; readonly manager?: string }) => Promise<JsonObject>
  /** Like `kubectl create`: rejects unknown fields. */
  readonly create: (manifest: JsonObject, options?: { readonly dryRun?: boolean }) => Promise<JsonObject>
  readonly patch: (reference: Reference, patch: JsonObject, options?: { readonly status?: boolean }) => Promise<JsonObject>
  readonly delete: (reference: Reference) => Promise<void>
  /** Reports the existing objects, then every change. */
  readonly watch: (reference: Reference, see: (event: Event) => void) => Watch
  readonly close: () => void
}

const JSON_TYPE = 'application/json'
const MERGE_PATCH = 'application/merge-patch+json'
const APPLY_PATCH = 'application/apply-patch+yaml'
const NOT_FOUND = 404
const WATCH_AGAIN_MS = 500

export function referenceTo(manifest: JsonObject): Reference {
  const text = (value: Json | undefined) => (typeof value === 'string' ? value : undefined)
  return {
    apiVersion: text(manifest.apiVersion) ?? '',
    kind: text(manifest.kind) ?? '',
    namespace: text(at(manifest, 'metadata', 'namespace')),
    name: text(at(manifest, 'metadata', 'name')),
  }
}

/** Every kind in these tests has a regular plural. */
const plural = (kind: string) =>
  kind
    .toLowerCase()
    .concat(kind.endsWith('s') ? 'es' : 's')
    .replace(/([^aeiou])ys$/, '$1ies')

export function pathOf({ apiVersion, kind, namespace, name }: Reference): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const place = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${group}${place}/${plural(kind)}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

export function createApi(url: string, ca: string, token: string): Api {
  const agent = new Agent({ keepAlive: true, ca, maxSockets: 64 })
  let closed = false
  const headers = { authorization: `Bearer ${token}`, accept: JSON_TYPE }

  const send = (method: string, path: string, body?: Json, contentType = JSON_TYPE): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
      const more = payload === undefined ? {} : { 'content-type': contentType, 'content-length': payload.length }
      request(new URL(path, url), { method, agent, headers: { ...headers, ...more } }, resolve)
        .once('error', reject)
        .end(payload)
    })

  async function call(method: string, path: string, body?: Json, contentType?: string): Promise<JsonObject> {
    const answer = await send(method, path, body, contentType)
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const code = answer.statusCode ?? 0
    const value: unknown = /^[[{]/.test(text) ? JSON.parse(text) : { message: text }
    if (!isObject(value)) throw new ApiError(code, text)
    if (code >= 400) throw new ApiError(code, typeof value.message === 'string' ? value.message : text)
    return value
  }

  const find = async (reference: Reference): Promise<JsonObject | undefined> => {
    try {
      return await call('GET', pathOf(reference))
    } catch (error) {
      if (error instanceof ApiError && error.code === NOT_FOUND) return undefined
      throw error
    }
  }

  function watch(reference: Reference, see: (event: Event) => void): Watch {
    let stopped = false
    let open: IncomingMessage | undefined
    const follow = async (): Promise<void> => {
      open = await send('GET', `${pathOf(reference)}?watch=true&allowWatchBookmarks=false`)
      for await (const line of createInterface({ input: open })) {
        const event: unknown = JSON.parse(line)
        if (!stopped && isObject(event) && isObject(event.object) && event.type !== 'ERROR')
          see({ type: String(event.type), object: event.object })
      }
    }
    void (async () => {
      while (!stopped && !closed) {
        await follow().catch(() => undefined)
        if (!stopped && !closed) await new Promise(resolve => setTimeout(resolve, WATCH_AGAIN_MS).unref())
      }
    })()
    return {
      stop: () => {
        stopped = true
        open?.destroy()
      },
    }
  }

  return {
    call,
    get: reference => call('GET', pathOf(reference)),
    find,
    list: async (reference, query = '') => {
      const { items } = await call('GET', `${pathOf(reference)}${query}`)
      const { apiVersion, kind } = reference
      return Array.isArray(items) ? items.filter(isObject).map(item => ({ apiVersion, kind, ...item })) : []
    },
    apply: (manifest, { dryRun = false, manager = 'tests' } = {}) => {
      const query = `fieldManager=${manager}&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`
      return call('PATCH', `${pathOf(referenceTo(manifest))}?${query}`, manifest, APPLY_PATCH)
    },
    create: (manifest, { dryRun = false } = {}) => {
      const { name: _, ...collection } = referenceTo(manifest)
      return call('POST', `${pathOf(collection)}?fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`, manifest)
    },
    patch: (reference, patch, { status = false } = {}) =>
      call('PATCH', `${pathOf(reference)}${status ? '/status' : ''}`, patch, MERGE_PATCH),
    delete: async reference => {
      try {
        await call('DELETE', pathOf(reference))
      } catch (error) {
        if (!(error instanceof ApiError && error.code === NOT_FOUND)) throw error
      }
    },
    watch,
    close: () => {
      closed = true
      agent.destroy()
    },
  }
}
