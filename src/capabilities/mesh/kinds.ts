// The products that bring the kinds of the mesh, and the readiness of Istio's objects.
import { at, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { exists, notReady, type Readiness } from '../readiness.ts'

export const ISTIO = 'Istio'
export const GATEWAY_API = 'the Gateway API'

/**
 * Istio uses an object as soon as it exists, and writes a status only with PILOT_ENABLE_ANALYSIS:
 * https://istio.io/latest/docs/reference/config/analysis/
 */
export function istioReadiness(observed: JsonObject): Readiness {
  const error = items(at(observed, 'status', 'validationMessages')).find(message => [at(message, 'level')].flat().some(isError))
  if (error === undefined) return exists(observed)
  const [code, name] = [at(error, 'type', 'code'), at(error, 'type', 'name')].map(text => textOf(text ?? ''))
  const what = [name, code && `(${code})`].filter(Boolean).join(' ') || 'an error'
  const where = at(error, 'documentationUrl')
  const said = at(error, 'message') ?? at(error, 'description')
  return notReady(
    name || 'IstioError',
    `Istio finds ${what} in ${textOf(observed.kind)} ${textOf(at(observed, 'metadata', 'name'))}${said === undefined ? '' : `: ${textOf(said)}`}.${where === undefined ? '' : ` See: ${textOf(where)}`}`,
  )
}

const isError = (level: unknown) => level === 'ERROR' || level === 3

/** The name of a Kubernetes Service in the mesh. */
export const hostOf = (service: string, namespace: string): string => `${service}.${namespace}.svc.cluster.local`

export const duration = (seconds: number): string => `${seconds}s`
