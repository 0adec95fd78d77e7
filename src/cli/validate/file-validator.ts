import schema from '../../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import { adviser } from '../../claim/advice.ts'
import type { Finding } from '../../claim/findings.ts'
import { claimDocument, identify, missingIdentity } from '../../claim/identity.ts'
import { COMPOSITE_KIND, judgeClaim, KIND } from '../../claim/parse.ts'
import type { Schema } from '../../claim/schema.ts'
import { validator } from '../../claim/validate.ts'
import { at, isObject, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { Platform } from '../../platform/platform.ts'
import { type ClaimDocument, GROUP, sortDocuments } from '../claim-documents.ts'
import { type Severity, tell } from '../print/findings.ts'
import type { ClaimReport, FileReport } from '../report/file-report.ts'
import { locateFindings, readSource, type SourceDocument } from '../yaml/source.ts'
import type { Part } from './file-part.ts'

/** How to judge. */
export interface Settings {
  readonly platform: Platform
  /** Instead of the schema of this version. */
  readonly schema?: Schema
  /** What advice weighs, where it is wanted. */
  readonly advice?: Severity
}

/** Compiles what it takes, once, to a judge of texts. */
export function judge({ platform, schema: other, advice }: Settings): (part: Part) => FileReport {
  const validate = other && validator(other)
  const advise = advice && adviser(other ?? (schema as Schema))

  const judgeDocument = ({ document, claim }: ClaimDocument): ClaimReport => {
    const { document: written, missing } = asWritten(claim)
    const findings = [...missing, ...judgeClaim(written, platform, validate).findings]
    const told = locateFindings(document, findings).map(finding => tell(finding))
    const advised = advise?.(written) ?? []
    const news = advised.filter(({ path }) => !findings.some(finding => isSame(finding.path, path)))
    return { name: nameOf(claim), findings: [...told, ...locateFindings(document, news).map(finding => tell(finding, advice))] }
  }

  return ({ file, text, firstLine }) => {
    const source = readSource(file, text, { firstLine, wanted: mentionsUs })
    const { claims, findings } = sortDocuments(source.documents.filter(isOurs))
    return { file, claims: claims.map(judgeDocument), findings: [...source.findings, ...findings].map(finding => tell(finding)) }
  }
}

/** What says neither our kind nor our group is none of our business, whatever may be wrong with it. Reading it would cost the most. */
const mentionsUs = (text: string) => text.includes(KIND) || text.includes(GROUP)

/** A file of settings has no kind either. */
const isOurs = ({ value }: SourceDocument) => !isObject(value) || value.kind !== undefined || textOf(value.apiVersion).startsWith(GROUP)

interface Written {
  readonly document: JsonObject
  readonly missing: readonly Finding[]
}

/** A composite is judged as the claim that it stands for. */
function asWritten(composite: JsonObject): Written {
  if (composite.kind !== COMPOSITE_KIND) return { document: named(composite), missing: [] }
  const identity = identify(composite)
  return { document: { ...composite, ...claimDocument(composite, identity, KIND) }, missing: missingIdentity(identity) }
}

/** The API server appends five characters to `generateName`, where there is no name. */
function named(claim: JsonObject): JsonObject {
  const generateName = at(claim, 'metadata', 'generateName')
  if (!isObject(claim.metadata) || claim.metadata.name !== undefined || typeof generateName !== 'string') return claim
  return { ...claim, metadata: { ...claim.metadata, name: `${generateName}xxxxx` } }
}

function nameOf(claim: JsonObject): string {
  const { name = '(without a name)', namespace } = identify(claim)
  return namespace === undefined ? name : `${namespace}/${name}`
}

const isSame = (a: Finding['path'], b: Finding['path']) => a.length === b.length && a.every((step, index) => step === b[index])
