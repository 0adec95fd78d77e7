// The schemas of Knative's CRDs, which also reject unknown fields, like the API server for kubectl.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv'
import { parseAllDocuments } from 'yaml'
import { at, isObject, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { moduleFolder } from './admission.ts'

const files = () => [
  join(moduleFolder('knative.dev/serving'), 'config/core/300-resources/service.yaml'),
  join(moduleFolder('knative.dev/eventing'), 'config/core/resources/broker.yaml'),
  join(moduleFolder('knative.dev/eventing'), 'config/core/resources/trigger.yaml'),
  fileURLToPath(new URL('crds/kafka-source.yaml', import.meta.url)),
]

/** The fields of every object, which CRDs omit. */
const common: JsonObject = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } }

/** Validators by apiVersion and kind. */
export function crdSchemas(): Map<string, ValidateFunction> {
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { int32: true, int64: true } })
  const schemas = new Map<string, ValidateFunction>()
  for (const file of files())
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      const crd = document.toJS() as Json
      if (at(crd, 'kind') !== 'CustomResourceDefinition') continue
      const versions = at(crd, 'spec', 'versions')
      for (const version of Array.isArray(versions) ? versions : []) {
        const schema = at(version, 'schema', 'openAPIV3Schema')
        if (!isObject(schema)) continue
        const complete = closed({ ...schema, properties: { ...(schema.properties as JsonObject), ...common } })
        schemas.set(
          `${at(crd, 'spec', 'group')}/${at(version, 'name')}/${at(crd, 'spec', 'names', 'kind')}`,
          ajv.compile(complete as AnySchemaObject),
        )
      }
    }
  return schemas
}

function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed)
  if (!isObject(schema)) return schema
  const deep = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value ?? null)]))
  const open = deep['x-kubernetes-preserve-unknown-fields'] === true || deep.additionalProperties !== undefined
  return isObject(deep.properties) && deep.type === 'object' && !open ? { ...deep, additionalProperties: false } : deep
}
