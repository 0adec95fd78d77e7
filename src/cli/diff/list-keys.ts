// How the entries of Kubernetes' lists are told apart:
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
import { at, type Json, textOf } from '../../kubernetes/json.ts'

const byName = (item: Json) => at(item, 'name')

/** Ports of two protocols may share a number. */
function portKey(port: Json): Json | undefined {
  const [number, protocol] = [at(port, 'containerPort') ?? at(port, 'port'), at(port, 'protocol') ?? 'TCP']
  return number === undefined || protocol === 'TCP' ? number : `${textOf(number)}/${textOf(protocol)}`
}

const lists: Readonly<Record<string, (item: Json) => Json | undefined>> = {
  containers: byName,
  initContainers: byName,
  env: byName,
  volumes: byName,
  imagePullSecrets: byName,
  volumeMounts: item => at(item, 'mountPath'),
  ports: portKey,
  topologySpreadConstraints: item => `${textOf(at(item, 'topologyKey'))} ${textOf(at(item, 'whenUnsatisfiable'))}`,
}

/** The key of each entry; undefined for a list without keys. */
export function keysOf(list: string | number | undefined, entries: readonly Json[]): readonly string[] | undefined {
  const keyOf = typeof list === 'string' && Object.hasOwn(lists, list) ? lists[list] : undefined
  if (keyOf === undefined) return undefined
  const keys = entries.map(keyOf)
  return keys.includes(undefined) || new Set(keys).size < keys.length ? undefined : keys.map(textOf)
}
