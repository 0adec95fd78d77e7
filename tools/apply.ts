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
  /** Secrets and ConfigMaps in the files. */
  readonly sources: readonly JsonObject[]
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
  const isSource = ({ value }: SourceDocument) =>
    isObject(value) && value.apiVersion === 'v1' && (value.kind === 'Secret' || value.kind === 'ConfigMap')
  const isOther = (document: SourceDocument) => !isSource(document)
  return {
    claims: ownClaims.map(({ claim }) => manifestOf(claim)),
    sources: others.filter(isSource).flatMap(({ value }) => (isObject(value) ? [placed(value)] : [])),
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

/** The Secrets and ConfigMaps that the claim names: empty values for the named keys, and no registries for pull secrets. */
export function referredObjects(claim: ClaimManifest): JsonObject[] {
  const { variables, bulkSources, files, nats, imagePullSecrets } = parsed(claim)
  const keys = { Secret: new Map<string, Set<string>>(), ConfigMap: new Map<string, Set<string>>() }
  const add = (kind: keyof typeof keys, name: string, ...named: string[]) =>
    keys[kind].set(name, new Set([...(keys[kind].get(name) ?? []), ...named]))
  for (const variable of variables) if ('from' in variable) add(variable.from.kind, variable.from.name, variable.key)
  for (const { kind, name } of bulkSources) add(kind, name)
  for (const one of files) if (one.kind !== 'Scratch') add(one.kind, one.name, ...(one.key === undefined ? [] : [one.key]))
  if (nats?.credentials) add('Secret', nats.credentials.secret, nats.credentials.key)
  if (nats?.tls) add('Secret', nats.tls.secret, 'ca.crt')
  const { namespace } = claim.metadata
  const object = (kind: string, name: string, rest: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace },
    ...rest,
  })
  const empty = (names: ReadonlySet<string>) => Object.fromEntries([...names].map(key => [key, '']))
  return [
    ...[...keys.ConfigMap].map(([name, names]) => object('ConfigMap', name, { data: empty(names) })),
    ...[...keys.Secret].map(([name, names]) => object('Secret', name, { stringData: empty(names) })),
    ...imagePullSecrets
      .filter(name => !keys.Secret.has(name))
      .map(name => object('Secret', name, { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{"auths":{}}' } })),
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
