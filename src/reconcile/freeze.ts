// While a runtime changes, the old workload stays as it is. The claim that it was made from is gone, so for this once
// what is wanted is read off what is observed: all that a claim of ours can have said, and nothing that others decide.
import { at, isObject, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'

export function freeze(observed: JsonObject): Manifest {
  const { apiVersion, kind } = observed
  const name = at(observed, 'metadata', 'name')
  const namespace = at(observed, 'metadata', 'namespace')
  const labels = pick(at(observed, 'metadata', 'labels'), key => !key.startsWith('crossplane.io/'))
  const annotations = pick(at(observed, 'metadata', 'annotations'), key => key.startsWith('autoscaling.keda.sh/'))
  // The count is KEDA's.
  const spec = pick(observed.spec, field => kind !== 'Deployment' || field !== 'replicas')
  return {
    apiVersion: textOf(apiVersion),
    kind: textOf(kind),
    metadata: { name: textOf(name), namespace: textOf(namespace), labels, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec,
  }
}

const pick = (value: unknown, wanted: (key: string) => boolean): JsonObject =>
  isObject(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => wanted(key))) : {}
