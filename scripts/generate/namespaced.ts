// The same API as a namespaced composite of Crossplane 2, without claims.
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
