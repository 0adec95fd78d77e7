/**
 * Fields that Crossplane itself adds to the spec of a claim, a composite or a namespaced composite.
 * They are not part of the API and never reach the resources.
 */
export const crossplaneFields = {
  compositionRef: 'object',
  compositionSelector: 'object',
  compositionRevisionRef: 'object',
  compositionRevisionSelector: 'object',
  compositionUpdatePolicy: 'string',
  compositeDeletePolicy: 'string',
  writeConnectionSecretToRef: 'object',
  publishConnectionDetailsTo: 'object',
  claimRef: 'object',
  resourceRef: 'object',
  resourceRefs: 'array',
  environmentConfigRefs: 'array',
  crossplane: 'object',
} as const
