// The same API in Crossplane 2's own way: a composite that lives in a namespace, and no claim.
import type { Definition } from './definition.ts'

export function namespacedDefinition({ spec }: Definition) {
  const { claimNames, names: _, ...rest } = spec
  return {
    apiVersion: 'apiextensions.crossplane.io/v2',
    kind: 'CompositeResourceDefinition',
    metadata: { name: `${claimNames?.plural}.${spec.group}` },
    spec: { ...rest, scope: 'Namespaced', names: claimNames },
  }
}

export function namespacedComposition<C extends { spec: { compositeTypeRef: { kind: string } } }>(
  composition: C,
  definition: Definition,
): C {
  return {
    ...composition,
    spec: { ...composition.spec, compositeTypeRef: { ...composition.spec.compositeTypeRef, kind: definition.spec.claimNames?.kind ?? '' } },
  }
}
