// Some objects stay as they are for a while although the claim no longer describes them: the workload of the old runtime, and a
// canary that still gets requests. The manifest is read from the observed object: every field that a claim renders, and none
// that others own.
import { at, isObject, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { ComposedResource } from './capability.ts'

export function freeze(observed: JsonObject, resource: Pick<ComposedResource, 'freeze'> = {}): Manifest {
  const { omit, annotations: isKept = () => false } = resource.freeze ?? {}
  const omitted = omit?.(observed) ?? []
  const { apiVersion, kind, spec, metadata } = observed
  const labels = pick(at(metadata, 'labels'), name => !name.startsWith('crossplane.io/'))
  const annotations = pick(at(metadata, 'annotations'), isKept)
  return {
    apiVersion: textOf(apiVersion),
    kind: textOf(kind),
    metadata: {
      name: textOf(at(metadata, 'name')),
      namespace: textOf(at(metadata, 'namespace')),
      labels,
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: pick(spec, field => !omitted.includes(field)),
  }
}

const pick = (value: unknown, wanted: (key: string) => boolean): JsonObject =>
  isObject(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => wanted(key))) : {}
