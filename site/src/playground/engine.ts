// Answers in the page what eds validate, eds render and the function answer: the same code, without a file and without a cluster.
import claimSchema from '../../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import inputSchema from '../../../schemas/input.schema.json' with { type: 'json' }
import type { Readiness } from '../../../src/capabilities/readiness.ts'
import { compileAdvice } from '../../../src/claim/advice.ts'
import { type Finding, sentence } from '../../../src/claim/findings.ts'
import type { EventDrivenServiceStatus } from '../../../src/claim/generated/types.ts'
import { COMPOSITE_KIND, identify, identifyClaim, KIND, missingIdentity } from '../../../src/claim/identity.ts'
import type { ResolvedClaim } from '../../../src/claim/resolved-claim.ts'
import { inlined, type Schema } from '../../../src/claim/schema.ts'
import { type ClaimDocument, GROUP, sortDocuments } from '../../../src/cli/claim-documents.ts'
import { factsOf } from '../../../src/cli/print/facts.ts'
import { toYaml } from '../../../src/cli/print/manifests.ts'
import { type LocatedFinding, locateFindings, readSource, type SourceDocument } from '../../../src/cli/yaml/source.ts'
import { at, isObject, type Json, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import { ownNames, withNames } from '../../../src/platform/names.ts'
import { builtInPlatform, type Platform, parsePlatform } from '../../../src/platform/platform.ts'
import { type ClaimCondition, findingsMessage, refusedCondition } from '../../../src/reconcile/conditions.ts'
import { parseClaim, validateClaim } from '../../../src/reconcile/parse-claim.ts'
import { didYouMean } from '../../../src/text/did-you-mean.ts'
import { schemaAt } from './fields.ts'
import { type Situation, situate, situationsOf } from './situations.ts'

/** A finding with its place in the text. Lines and columns count from 1. */
export interface Problem {
  readonly line: number
  readonly column: number
  readonly code: string
  /** The whole sentence, as eds validate prints it. */
  readonly message: string
  readonly severity: 'error' | 'warning'
  /** Replaces the word at the place. */
  readonly fix?: string
  /** The word that a fix replaces. */
  readonly found?: string
}

export interface ShownResource {
  readonly key: string
  readonly kind: string
  readonly name: string
  readonly facts: string
  readonly yaml: string
  readonly readiness: Readiness
}

export interface ClaimAnswer {
  /** `shop/orders-worker`. */
  readonly name: string
  readonly facts: string
  readonly refused: boolean
  readonly resources: readonly ShownResource[]
  readonly conditions: readonly ClaimCondition[]
  readonly ready: boolean
  readonly status: EventDrivenServiceStatus
  /** The situations of the cluster that the claim can be in; undefined while nobody knows. */
  readonly situations?: readonly Situation[]
}

export interface Answer {
  readonly problems: readonly Problem[]
  readonly claims: readonly ClaimAnswer[]
}

/** What a claim meets. */
export interface World {
  readonly platform: Platform
  readonly situation: Situation
  /** Instead of the claim's own. */
  readonly environment?: string | undefined
}

export interface PlatformAnswer {
  readonly problems: readonly Problem[]
  /** The platform of the last valid input is kept by whoever asks. */
  readonly platform?: Platform
}

export const inputFields: Schema = inlined(inputSchema as Schema)

/** The fields of a claim on this platform, which may have sizes and environments of its own. */
export const claimFields = perPlatform(platform => inlined(withNames(claimSchema as unknown as JsonObject, ownNames(platform)) as Schema))

const adviceFor = perPlatform(platform => compileAdvice(claimSchema as Schema, platform))

function perPlatform<T>(make: (platform: Platform) => T): (platform: Platform) => T {
  const made = new WeakMap<Platform, T>()
  return platform => {
    const known = made.get(platform) ?? make(platform)
    made.set(platform, known)
    return known
  }
}

/** Reads the input of the function; an empty text is a platform without settings. */
export function readPlatform(text: string): PlatformAnswer {
  const { documents, findings } = readSource('platform', text)
  const problems = findings.map(finding => problemOf(finding, 'error'))
  const [document] = documents
  if (problems.length > 0) return { problems }
  if (document === undefined) return { problems, platform: builtInPlatform }
  const parsed = parsePlatform(document.value as Json)
  if (parsed.ok) return { problems, platform: parsed.platform }
  return {
    problems: locateFindings(document, parsed.findings).map(finding => withKeyFix(problemOf(finding, 'error'), finding, inputFields)),
  }
}

/** What the claims of a text become in a situation of the cluster. */
export function answer(text: string, { platform, situation, environment }: World): Answer {
  const { documents, findings } = readSource('claim', text)
  const sorted = sortDocuments(documents.filter(isManifest))
  const results = sorted.claims.map(claim => answerClaim(claim, { platform, situation, environment }))
  return {
    problems: [
      ...[...findings, ...sorted.findings].map(finding => problemOf(finding, 'error')),
      ...results.flatMap(({ problems }) => problems),
    ].sort((a, b) => a.line - b.line || a.column - b.column),
    claims: results.map(({ claim }) => claim),
  }
}

const isManifest = ({ value }: SourceDocument) => !isObject(value) || value.kind !== undefined || textOf(value.apiVersion).startsWith(GROUP)

function answerClaim({ document, claim }: ClaimDocument, { platform, situation, environment }: World) {
  const { written, missing } = asWritten(claim)
  const findings = [...missing, ...validateClaim(written, platform).findings]
  const fields = claimFields(platform)
  const errors = locateFindings(document, findings).map(finding => withKeyFix(problemOf(finding, 'error'), finding, fields))
  const advice = adviceFor(platform)(written).filter(({ path }) => !findings.some(finding => isSame(finding.path, path)))
  const warnings = locateFindings(document, advice).map(finding => problemOf(finding, 'warning'))
  const becomes = () => compose(inEnvironment(claim, environment), platform, situation)
  return { problems: [...errors, ...warnings], claim: findings.length > 0 ? refuse(claim, findings) : becomes() }
}

/** A composite is validated as its claim. */
function asWritten(composite: JsonObject): { written: JsonObject; missing: readonly Finding[] } {
  if (composite.kind !== COMPOSITE_KIND) return { written: named(composite), missing: [] }
  const { identity, document } = identifyClaim(composite)
  return { written: { ...composite, ...document }, missing: missingIdentity(identity) }
}

/** The API server appends five characters to `generateName` if there is no name. */
function named(claim: JsonObject): JsonObject {
  const generateName = at(claim, 'metadata', 'generateName')
  if (!isObject(claim.metadata) || claim.metadata.name !== undefined || typeof generateName !== 'string') return claim
  return { ...claim, metadata: { ...claim.metadata, name: `${generateName}xxxxx` } }
}

/** A claim without a namespace goes into the namespace of the user's context. */
function placed(claim: JsonObject): JsonObject {
  const metadata = isObject(claim.metadata) ? claim.metadata : {}
  return claim.kind === COMPOSITE_KIND || metadata.namespace !== undefined
    ? claim
    : { ...claim, metadata: { ...metadata, namespace: 'default' } }
}

/** The same as eds render --environment. */
const inEnvironment = (claim: JsonObject, environment: string | undefined): JsonObject =>
  environment === undefined || !isObject(claim.spec) ? claim : { ...claim, spec: { ...claim.spec, environment } }

const isSame = (a: Finding['path'], b: Finding['path']) => a.length === b.length && a.every((step, index) => step === b[index])

function titleOf(claim: JsonObject): string {
  const { name = '(without a name)', namespace = 'default' } = identify(claim)
  return `${namespace}/${name}`
}

/** A refused claim changes nothing: what runs keeps running. */
function refuse(claim: JsonObject, findings: readonly Finding[]): ClaimAnswer {
  return {
    name: titleOf(claim),
    facts: 'refused',
    refused: true,
    resources: [],
    conditions: [refusedCondition('InvalidClaim', findingsMessage(findings))],
    ready: false,
    status: {},
  }
}

function compose(claim: JsonObject, platform: Platform, situation: Situation): ClaimAnswer {
  const parsed = parseClaim(placed(named(claim)), platform)
  if (!parsed.ok) return refuse(claim, parsed.findings)
  const { resources, conditions, complete, status } = situate(parsed.claim, platform, situation)
  return {
    name: `${parsed.claim.namespace}/${parsed.claim.name}`,
    facts: summaryOf(parsed.claim),
    refused: false,
    resources: resources.map(({ key, manifest, desired, readiness }) => ({
      key,
      kind: manifest.kind,
      name: manifest.metadata.name,
      facts: factsOf(manifest),
      yaml: toYaml(desired),
      readiness,
    })),
    conditions,
    ready: complete && resources.every(({ readiness }) => readiness.ready),
    status,
    situations: situationsOf(parsed.claim, platform),
  }
}

const summaryOf = ({ runtime, size }: ResolvedClaim) => `${KIND}, runtime ${runtime}, size ${size}`

function problemOf(finding: LocatedFinding, severity: Problem['severity']): Problem {
  const { line, column, code, hint, meant, found } = finding
  const message = sentence(finding) + (hint === undefined ? '' : ` (${hint})`)
  return { line, column, code, message, severity, ...(meant !== undefined && { fix: meant, found: textOf(found) }) }
}

/** A misspelt field gets the field that its author most likely meant. */
function withKeyFix(problem: Problem, { code, path }: Finding, schema: Schema): Problem {
  const name = path.at(-1)
  if (code !== 'UNKNOWN_FIELD' || typeof name !== 'string') return problem
  const siblings = schemaAt(schema, path.slice(0, -1))?.properties ?? {}
  const fix = didYouMean(
    name,
    Object.keys(siblings).filter(key => siblings[key]?.deprecated !== true),
  )
  return fix === undefined ? problem : { ...problem, fix, found: name }
}
