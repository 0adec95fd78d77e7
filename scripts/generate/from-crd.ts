// Converts the CRD that Crossplane creates in a cluster back to the XRD.
import { crossplaneFields } from '../../src/claim/crossplane-fields.ts'
import type { Schema } from '../../src/claim/schema.ts'
import type { Definition } from './definition.ts'

export interface CustomResourceDefinition {
  kind: string
  spec: { group: string; names: { kind: string; plural: string; shortNames?: string[] }; versions: Definition['spec']['versions'] }
}

/** Removes the fields that Crossplane adds. Comments and anchors are lost, but do not affect the schema. */
export function definitionOf({ spec: { group, names, versions } }: CustomResourceDefinition): Definition {
  const [version] = versions
  const { openAPIV3Schema: root } = version.schema
  const { spec } = root.properties ?? {}
  if (spec === undefined) throw new Error(`version ${version.name} has no schema for spec`)
  const own: Schema = { ...spec, properties: without(spec.properties, crossplaneFields) }
  return {
    apiVersion: 'apiextensions.crossplane.io/v1',
    kind: 'CompositeResourceDefinition',
    metadata: { name: `x${names.plural}.${group}` },
    spec: {
      group,
      names: { kind: `X${names.kind}`, plural: `x${names.plural}` },
      claimNames: names,
      versions: [{ ...version, schema: { openAPIV3Schema: { ...root, properties: { ...root.properties, spec: own } } } }],
    },
  }
}

const without = (properties: Schema['properties'], names: object) =>
  Object.fromEntries(Object.entries(properties ?? {}).filter(([name]) => !Object.hasOwn(names, name)))
