import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { at, isObject, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { type Answer, sendRequest } from './http.ts'
import type { Connection } from './kubeconfig.ts'

/** The requests that the commands send to the API server. */
export interface Api {
  readonly get: (path: string) => Promise<Answer>
  /** The rows that `kubectl get` prints for an object or a list, without the objects themselves. */
  readonly table: (path: string) => Promise<Answer>
  /** A response that is not JSON, such as the log of a container. */
  readonly text: (path: string) => Promise<Answer>
  readonly post: (path: string, body: JsonObject) => Promise<Answer>
  /** What server-side apply would make of an object, without changing it. */
  readonly dryRunApply: (path: string, body: JsonObject, fieldManager: string) => Promise<Answer>
  readonly close: () => void
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const TIMEOUT_MS = 10_000
// The checks run at once; without a limit each request would cost a TLS handshake.
const CONNECTIONS = 8

export function connectApi({ server, tls, authorization }: Connection): Api {
  const agent =
    server.protocol === 'https:'
      ? new HttpsAgent({ keepAlive: true, maxSockets: CONNECTIONS, ...tls })
      : new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS })
  const headers = authorization === undefined ? {} : { authorization }
  // The address may contain a path, for example behind a proxy for several clusters.
  const base = server.href.replace(/\/$/, '')
  const settings = { agent, headers, timeoutMs: TIMEOUT_MS }
  return {
    get: path => sendRequest(base + path, settings),
    table: path => sendRequest(`${base}${path}?includeObject=None`, { ...settings, headers: { ...headers, accept: TABLE } }),
    text: path => sendRequest(base + path, { ...settings, isText: true }),
    post: (path, body) => sendRequest(base + path, { ...settings, body }),
    // With force, like Crossplane.
    dryRunApply: (path, body, fieldManager) =>
      sendRequest(`${base}${path}?dryRun=All&force=true&fieldManager=${encodeURIComponent(fieldManager)}`, {
        ...settings,
        body,
        method: 'PATCH',
        contentType: 'application/apply-patch+yaml',
      }),
    close: () => agent.destroy(),
  }
}

/** The objects of a list; empty for any other answer. */
export const itemsOf = (answer: Answer): readonly JsonObject[] => items(answer.ok ? at(answer.body, 'items') : undefined).filter(isObject)

export const nameOf = (object: JsonObject): string => textOf(at(object, 'metadata', 'name'))
export const namespaceOf = (object: JsonObject): string => textOf(at(object, 'metadata', 'namespace'))

/** Whether the API server reports that the object does not exist, rather than not answering. */
export const isAbsent = (answer: Answer): boolean => !answer.ok && answer.status === 404
