// Reads and validates the files of --apply before anything starts, and finds what their claims need besides Crossplane.

import type { ResolvedClaim } from '../src/claim/resolved-claim.ts'
import { kindAndName, sortDocuments } from '../src/cli/claim-documents.ts'
import { readFiles } from '../src/cli/files.ts'
import type { Input, Output } from '../src/cli/io.ts'
import { printFindings } from '../src/cli/print/findings.ts'
import { type LocatedFinding, locateFindings, readSource, type SourceDocument } from '../src/cli/yaml/source.ts'
import { at, isObject, type JsonObject } from '../src/kubernetes/json.ts'
import { builtInPlatform } from '../src/platform/platform.ts'
import { compose } from '../src/reconcile/compose.ts'
import { parseClaim } from '../src/reconcile/parse-claim.ts'
import { type ClaimManifest, KIND } from '../test/e2e/cluster/claim.ts'

export interface ApplyInput {
  readonly claims: readonly ClaimManifest[]
  /** Secrets in the files. */
  readonly secrets: readonly JsonObject[]
  /** A line for each object of another kind. */
  readonly skipped: readonly string[]
}

const noInput: Input = { chunks: (async function* () {})(), isTerminal: false }
const plain: Output = { write: () => undefined, isTerminal: false, color: false, width: 100 }

/** The claims of files and folders; throws with all their findings. */
export async function readApplyInput(names: readonly string[]): Promise<ApplyInput> {
  const documents: SourceDocument[] = []
  const findings: LocatedFinding[] = []
  const unreadable: string[] = []
  for await (const read of readFiles(names, noInput)) {
    if ('reason' in read) {
      unreadable.push(`--apply ${read.file}: ${read.reason}`)
      continue
    }
    const source = readSource(read.file, read.text)
    documents.push(...source.documents)
    findings.push(...source.findings)
  }
  const { claims, others, findings: kindFindings } = sortDocuments(documents)
  const ownClaims = claims.filter(({ claim }) => claim.kind === KIND)
  const claimFindings = ownClaims.flatMap(({ document, claim }) => {
    const parsed = parseClaim(placed(claim), builtInPlatform)
    return parsed.ok ? [] : locateFindings(document, parsed.findings)
  })
  const problems = [...unreadable, printFindings([...findings, ...kindFindings, ...claimFindings], plain).trimEnd()].filter(
    text => text !== '',
  )
  if (problems.length > 0) throw new Error(problems.join('\n'))
  if (names.length > 0 && ownClaims.length === 0) throw new Error(`--apply ${names.join(' ')}: contains no ${KIND}`)
  const composites = claims.filter(({ claim }) => claim.kind !== KIND).map(({ document }) => document)
  const isSecret = ({ value }: SourceDocument) => isObject(value) && value.kind === 'Secret' && value.apiVersion === 'v1'
  const isOther = (document: SourceDocument) => !isSecret(document)
  return {
    claims: ownClaims.map(({ claim }) => manifestOf(claim)),
    secrets: others.filter(isSecret).flatMap(({ value }) => (isObject(value) ? [placed(value)] : [])),
    skipped: [...others.filter(isOther), ...composites].map(
      ({ file, value }) => `skipped ${kindAndName(value)} of ${file}: it is not an ${KIND}`,
    ),
  }
}

/** The object as kubectl sends it, with namespace `default` if it has none. */
const placed = (object: JsonObject): JsonObject => ({
  ...object,
  metadata: { namespace: 'default', ...(isObject(object.metadata) ? object.metadata : {}) },
})

export function manifestOf(claim: JsonObject): ClaimManifest {
  const name = String(at(claim, 'metadata', 'name'))
  const namespace = String(at(claim, 'metadata', 'namespace') ?? 'default')
  const { metadata, spec } = claim
  return {
    ...claim,
    metadata: { ...(isObject(metadata) ? metadata : {}), name, namespace },
    spec: isObject(spec) ? spec : {},
  }
}

function parsed(claim: ClaimManifest): ResolvedClaim {
  const result = parseClaim(claim, builtInPlatform)
  if (!result.ok) throw new Error(`${claim.metadata.namespace}/${claim.metadata.name} is invalid`)
  return result.claim
}

/** The resources of the claim when no object exists yet. */
export const composedOf = (claim: ClaimManifest): readonly JsonObject[] =>
  compose(parsed(claim), builtInPlatform, {}).resources.map(({ manifest }) => manifest)

/** The secrets that the claim names: empty values for the named keys, and no registries for pull secrets. */
export function secretsOf(claim: ClaimManifest): JsonObject[] {
  const keys = new Map<string, Record<string, string>>()
  const pullSecrets = new Set<string>()
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect)
    if (!isObject(value)) return
    const reference = isObject(value.secretKeyRef) ? value.secretKeyRef : isObject(value.secretRef) ? value.secretRef : undefined
    if (reference !== undefined) {
      const of = keys.get(String(reference.name)) ?? {}
      if (typeof reference.key === 'string') of[reference.key] = ''
      keys.set(String(reference.name), of)
    }
    if (Array.isArray(value.imagePullSecrets)) for (const secret of value.imagePullSecrets) pullSecrets.add(String(at(secret, 'name')))
    Object.values(value).forEach(collect)
  }
  composedOf(claim).forEach(collect)
  const { namespace } = claim.metadata
  const secret = (name: string, rest: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    ...rest,
  })
  return [
    ...[...keys].map(([name, stringData]) => secret(name, { stringData })),
    ...[...pullSecrets]
      .filter(name => !keys.has(name))
      .map(name => secret(name, { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{"auths":{}}' } })),
  ]
}

/** The server and account of a claim's stream. */
export interface Source {
  /** The namespace of the NATS server, or undefined if the sandbox cannot serve its address. */
  readonly namespace: string | undefined
  readonly account: string | undefined
  readonly stream: string
  readonly consumer: string
}

const CLIENTS = /^nats:\/\/nats\.([a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?:4222$/
const MONITORING = /^nats-headless\.([a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?:8222$/
const BUILT_IN = new Set(['$SYS', '$G'])

export function sourceOf(claim: ClaimManifest): Source | undefined {
  const { nats } = parsed(claim)
  if (nats === undefined) return undefined
  const { url, monitoringEndpoint, account, stream, consumer } = nats
  const [clients, monitoring] = [CLIENTS.exec(url)?.[1], MONITORING.exec(monitoringEndpoint)?.[1]]
  return {
    namespace: clients === monitoring ? clients : undefined,
    account: BUILT_IN.has(account) ? undefined : account,
    stream,
    consumer,
  }
}
