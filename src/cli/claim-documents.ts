// Finds the claims among the documents of a file.

import type { Finding } from '../claim/findings.ts'
import { COMPOSITE_KIND, KIND } from '../claim/identity.ts'
import { at, isObject, type JsonObject, textOf } from '../kubernetes/json.ts'
import { API_VERSION } from '../reconcile/parse-claim.ts'
import { type LocatedFinding, locateFinding, type SourceDocument } from './yaml/source.ts'

export interface ClaimDocument {
  readonly document: SourceDocument
  readonly claim: JsonObject
}

export interface Sorted {
  readonly claims: readonly ClaimDocument[]
  readonly others: readonly SourceDocument[]
  readonly findings: readonly LocatedFinding[]
}

/** The API group of claims. */
export const [GROUP = ''] = API_VERSION.split('/')
const kinds = [KIND, COMPOSITE_KIND]

/** Separates claims and composites from other kinds, and reports documents whose kind is wrong or missing. */
export function sortDocuments(documents: readonly SourceDocument[]): Sorted {
  const claims: ClaimDocument[] = []
  const others: SourceDocument[] = []
  const findings: LocatedFinding[] = []
  for (const document of documents) {
    const { value } = document
    const finding = kindFinding(value)
    if (finding !== undefined) findings.push(locateFinding(document, finding))
    else if (isObject(value) && kinds.includes(textOf(value.kind))) claims.push({ document, claim: value })
    else others.push(document)
  }
  return { claims, others, findings }
}

/** Reports a document without a usable kind, which kubectl would reject, too. */
function kindFinding(value: unknown): Finding | undefined {
  if (!isObject(value)) return { code: 'WRONG_TYPE', path: [], problem: 'must be a Kubernetes object', found: value }
  const { apiVersion, kind } = value
  if (typeof kind !== 'string' || kind === '')
    return { code: 'REQUIRED', path: ['kind'], problem: `required field missing: is this an ${KIND}?` }
  if (kinds.includes(kind) || textOf(apiVersion).split('/')[0] !== GROUP) return undefined
  return { code: 'NOT_ALLOWED', path: ['kind'], problem: `must be ${KIND}`, found: kind }
}

/** `Deployment worker`, for a note. */
export const kindAndName = (value: unknown): string =>
  [at(value, 'kind'), at(value, 'metadata', 'name')]
    .filter(part => part !== undefined)
    .map(textOf)
    .join(' ')
