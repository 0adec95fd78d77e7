import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { at, isObject, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { type Answer, ask } from './http.ts'
import type { Connection } from './kubeconfig.ts'

/** The API server, as far as the doctor asks it. */
export interface Api {
  readonly get: (path: string) => Promise<Answer>
  /** The rows of what `kubectl get` would print of one object or of a list, without the objects themselves. */
  readonly table: (path: string) => Promise<Answer>
  readonly post: (path: string, body: JsonObject) => Promise<Answer>
  readonly close: () => void
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const TIMEOUT_MS = 10_000
// The checks ask all at once; a connection for each would be a handshake for each.
const CONNECTIONS = 8

export function connectApi({ server, tls, authorization }: Connection): Api {
  const agent =
    server.protocol === 'https:'
      ? new HttpsAgent({ keepAlive: true, maxSockets: CONNECTIONS, ...tls })
      : new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS })
  const headers = authorization === undefined ? {} : { authorization }
  // The address may end in a path of its own, as behind a proxy of several clusters.
  const base = server.href.replace(/\/$/, '')
  const settings = { agent, headers, timeoutMs: TIMEOUT_MS }
  return {
    get: path => ask(base + path, settings),
    table: path => ask(`${base}${path}?includeObject=None`, { ...settings, headers: { ...headers, accept: TABLE } }),
    post: (path, body) => ask(base + path, { ...settings, body }),
    close: () => agent.destroy(),
  }
}

/** What of a list, or of an answer that is none, is an object. */
export const itemsOf = (answer: Answer): readonly JsonObject[] => items(answer.ok ? at(answer.body, 'items') : undefined).filter(isObject)

export const nameOf = (object: JsonObject): string => textOf(at(object, 'metadata', 'name'))
export const namespaceOf = (object: JsonObject): string => textOf(at(object, 'metadata', 'namespace'))

/** Whether there is no such thing, and not only no answer. */
export const isAbsent = (answer: Answer): boolean => !answer.ok && answer.status === 404
