import schema from '../../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import { compileAdvice } from '../../claim/advice.ts'
import type { Finding } from '../../claim/findings.ts'
import { COMPOSITE_KIND, identify, identifyClaim, KIND, missingIdentity } from '../../claim/identity.ts'
import type { Schema } from '../../claim/schema.ts'
import { compileValidator } from '../../claim/validate.ts'
import { at, isObject, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { ownNames, withNames } from '../../platform/names.ts'
import type { Platform } from '../../platform/platform.ts'
import { validateClaim } from '../../reconcile/parse-claim.ts'
import { type ClaimDocument, GROUP, sortDocuments } from '../claim-documents.ts'
import type { TextFile } from '../files.ts'
import { reportFinding, type Severity } from '../print/findings.ts'
import type { ClaimReport, FileReport } from '../report/file-report.ts'
import { locateFindings, readSource, type SourceDocument } from '../yaml/source.ts'
import { splitDocuments } from '../yaml/split.ts'
import { sameHostFinder } from './same-hosts.ts'

/** The settings of a validation. */
export interface ValidationSettings {
  readonly platform: Platform
  /** Instead of the schema of this version. */
  readonly schema?: Schema
  /** The severity of advice; undefined to omit it. */
  readonly advice?: Severity
}

/** Compiles schema and advice once, for many files. A large file yields several reports. */
export function createFileValidator({ platform, schema: other, advice }: ValidationSettings): (file: TextFile) => Generator<FileReport> {
  const validate = other && compileValidator(withNames(other as unknown as JsonObject, ownNames(platform)) as Schema)
  const advise = advice && compileAdvice(other ?? (schema as Schema), platform)
  const findSameHosts = sameHostFinder()

  const validateDocument = ({ document, claim }: ClaimDocument): ClaimReport => {
    const { document: written, missing } = asWritten(claim)
    const findings = [...missing, ...validateClaim(written, platform, { validate }).findings]
    const reported = locateFindings(document, findings).map(finding => reportFinding(finding))
    const name = claimName(claim)
    const advised = advise === undefined ? [] : [...advise(written), ...findSameHosts(name, claim, document)]
    const newAdvice = advised.filter(({ path }) => !findings.some(finding => isSame(finding.path, path)))
    return {
      name,
      findings: [...reported, ...locateFindings(document, newAdvice).map(finding => reportFinding(finding, advice))],
    }
  }

  const validatePart = (file: string, { text, firstLine }: Part): FileReport => {
    const source = readSource(file, text, { firstLine, wanted: mentionsUs })
    const { claims, findings } = sortDocuments(source.documents.filter(isOurs))
    return {
      file,
      claims: claims.map(validateDocument),
      findings: [...source.findings, ...findings].map(finding => reportFinding(finding)),
    }
  }

  return function* ({ file, text }) {
    for (const part of partsOf(text)) yield validatePart(file, part)
  }
}

/** Some documents of a file. */
interface Part {
  readonly text: string
  /** The line number of the part's first line in the file. */
  readonly firstLine: number
}

/** Short enough to keep memory low, however long a file is. */
export const PART_LENGTH = 64 * 1024

/** Cuts a large text between its documents. */
export function* partsOf(text: string): Generator<Part> {
  if (text.length <= PART_LENGTH) return yield { text, firstLine: 1 }
  let start = 0
  let firstLine = 1
  for (const segment of splitDocuments(text)) {
    const end = segment.start + segment.text.length
    if (end - start < PART_LENGTH && end < text.length) continue
    const part = text.slice(start, end)
    yield { text: part, firstLine }
    start = end
    firstLine += lineBreaksIn(part)
  }
}

const lineBreaksIn = (text: string) => text.split('\n').length - 1 + (text.match(/\r(?!\n)/g)?.length ?? 0)

/** Skips a document without our kind or group before it is parsed, because parsing costs the most. */
const mentionsUs = (text: string) => text.includes(KIND) || text.includes(GROUP)

/** Excludes files that are not Kubernetes manifests, such as settings. */
const isOurs = ({ value }: SourceDocument) => !isObject(value) || value.kind !== undefined || textOf(value.apiVersion).startsWith(GROUP)

interface Written {
  readonly document: JsonObject
  readonly missing: readonly Finding[]
}

/** A composite is validated as its claim. */
function asWritten(composite: JsonObject): Written {
  if (composite.kind !== COMPOSITE_KIND) return { document: withGeneratedName(composite), missing: [] }
  const { identity, document } = identifyClaim(composite)
  return { document: { ...composite, ...document }, missing: missingIdentity(identity) }
}

/** The API server appends five characters to `generateName` if there is no name. */
function withGeneratedName(claim: JsonObject): JsonObject {
  const generateName = at(claim, 'metadata', 'generateName')
  if (!isObject(claim.metadata) || claim.metadata.name !== undefined || typeof generateName !== 'string') return claim
  return { ...claim, metadata: { ...claim.metadata, name: `${generateName}xxxxx` } }
}

function claimName(claim: JsonObject): string {
  const { name = '(without a name)', namespace } = identify(claim)
  return namespace === undefined ? name : `${namespace}/${name}`
}

const isSame = (a: Finding['path'], b: Finding['path']) => a.length === b.length && a.every((step, index) => step === b[index])
