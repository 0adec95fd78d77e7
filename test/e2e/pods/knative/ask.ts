// Requests to Knative Services: through Kourier's gateway as from outside, or by a name of the cluster.
import { get, request } from 'node:http'
import { isObject, type JsonObject } from '../../../../src/kubernetes/json.ts'

/** Where requests from outside arrive. */
export const GATEWAY = 'http://kourier.kourier-system'

const TIMEOUT_MS = 30_000

export interface Answer {
  readonly status: number
  /** What our worker says. */
  readonly said: JsonObject
  readonly seconds: number
}

/** Asks for a URL at the gateway, as a client outside the cluster does. */
export const askGateway = (url: string, path = '/'): Promise<Answer> => ask(`${GATEWAY}${path}`, { host: new URL(url).host })

export const ask = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
  const began = Date.now()
  return new Promise((resolve, reject) => {
    const call = get(url, { agent: false, headers, timeout: TIMEOUT_MS }, response => {
      let body = ''
      response.on('data', chunk => (body += chunk))
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, said: parsed(body), seconds: (Date.now() - began) / 1_000 }))
    })
    call.once('timeout', () => call.destroy(new Error(`no answer from ${url}`)))
    call.once('error', reject)
  })
}

function parsed(body: string): JsonObject {
  try {
    const said: unknown = JSON.parse(body)
    return isObject(said) ? said : {}
  } catch {
    return {}
  }
}

/** Sends a CloudEvent, and returns the status of the answer. */
export function sendEvent(url: string, attributes: Readonly<Record<string, string>>): Promise<number> {
  const given = { specversion: '1.0', source: '/tests', ...attributes }
  const headers = Object.fromEntries(Object.entries(given).map(([name, value]) => [`ce-${name}`, value]))
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', agent: false, timeout: TIMEOUT_MS, headers: { ...headers, 'content-type': 'application/json' } }
    const call = request(url, options, response => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    call.once('timeout', () => call.destroy(new Error(`no answer from ${url}`)))
    call.once('error', reject)
    call.end('{}')
  })
}
