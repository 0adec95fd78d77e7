// Checks that the Secrets and ConfigMaps of a claim exist and have the keys. No value leaves this file.
import type { ResolvedClaim, Source } from '../../claim/resolved-claim.ts'
import { at, isObject, items, type Json, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, isAbsent } from './api.ts'
import { type Check, unknown, unneeded, well, wrong } from './check.ts'
import type { Failed } from './http.ts'
import { suggest } from './suggestion.ts'

type Kind = Source['kind']

/** One place of a claim that names a Secret or a ConfigMap. */
interface Use extends Source {
  /** Undefined if the object is used as a whole. */
  readonly key?: string
}

/** A Secret or a ConfigMap with everything that the claim uses of it. */
interface Named {
  readonly kind: Kind
  readonly name: string
  /** Without these the pods do not start. */
  readonly keys: readonly string[]
  readonly optionalKeys: readonly string[]
  /** The pods start without the object. */
  readonly optional: boolean
  /** The claim lists it under imagePullSecrets. */
  readonly pulls: boolean
  /** The claim names it in nats.tls. */
  readonly isForTls: boolean
}

/** A row for each Secret and each ConfigMap. */
export const checkSources = (api: Api, claim: ResolvedClaim): Promise<Check[]> =>
  Promise.all(sourcesOf(claim).map(named => checkSource(api, claim, named)))

const secret = (name: string, key?: string): Use => ({ kind: 'Secret', name, optional: false, ...(key !== undefined && { key }) })

function usesOf({ variables, bulkSources, files, nats, imagePullSecrets }: ResolvedClaim): Use[] {
  const { credentials, tls } = nats ?? {}
  return [
    ...variables.flatMap(variable => ('from' in variable ? [{ ...variable.from, key: variable.key }] : [])),
    ...bulkSources.map(({ kind, name, optional }) => ({ kind, name, optional })),
    ...files.flatMap(one => (one.kind === 'Scratch' ? [] : [{ optional: false, ...one }])),
    ...(credentials ? [secret(credentials.secret, credentials.key)] : []),
    ...(tls ? [secret(tls.secret, CA)] : []),
    ...imagePullSecrets.map(name => secret(name)),
  ]
}

function sourcesOf(claim: ResolvedClaim): Named[] {
  const uses = usesOf(claim)
  const names = new Map(uses.map(({ kind, name }) => [`${kind} ${name}`, { kind, name }]))
  return [...names.values()].map(({ kind, name }) => {
    const own = uses.filter(use => use.kind === kind && use.name === name)
    const required = own.filter(({ optional }) => !optional)
    const keys = keysOf(required)
    return {
      kind,
      name,
      keys,
      optionalKeys: keysOf(own).filter(key => !keys.includes(key)),
      optional: required.length === 0,
      pulls: kind === 'Secret' && claim.imagePullSecrets.includes(name),
      isForTls: kind === 'Secret' && claim.nats?.tls?.secret === name,
    }
  })
}

const keysOf = (uses: readonly Use[]) => [...new Set(uses.flatMap(({ key }) => key ?? []))]

/** The server's certificate authority. */
const CA = 'ca.crt'
/** The client certificate with its key. */
const CERTIFICATE = ['tls.crt', 'tls.key'] as const

async function checkSource(api: Api, claim: ResolvedClaim, named: Named): Promise<Check> {
  const { kind, name, pulls, optional, optionalKeys } = named
  const row = `${kind} ${name} of ${claim.namespace}/${claim.name}`
  const path = `${pathOf(claim, kind)}/${encodeURIComponent(name)}`
  const found = named.keys.length + optionalKeys.length === 0 ? await readRow(api, path) : await readKeys(api, path)
  if (!found.ok && isAbsent(found)) return optional ? unneeded(row, 'optional, does not exist') : missing(api, claim, named, row)
  if (!found.ok) return unreadable(row, claim, named, found)
  const keys = requiredKeys(named, found.keys)
  const absent = keys.filter(key => !found.keys.includes(key))
  if (absent.length > 0) return withoutKeys(claim, { ...named, keys }, row, { absent, existing: found.keys })
  if (pulls && found.type !== undefined && !PULL_TYPES.includes(found.type))
    return wrong(
      row,
      `has type ${found.type}, so the kubelet does not pull images with it; the type must be ${PULL_TYPES[0]}`,
      describe(claim, named),
    )
  const present = [...keys, ...optionalKeys.filter(key => found.keys.includes(key))]
  const without = optionalKeys.filter(key => !found.keys.includes(key))
  return well(
    row,
    [
      present.length === 0 ? 'exists' : `exists, with ${listed(present)}`,
      ...(without.length === 0 ? [] : [`without optional ${listed(without)}`]),
    ].join(', '),
  )
}

/** A client certificate needs its key, and a key its certificate. */
function requiredKeys({ keys, isForTls }: Named, existing: readonly string[]): readonly string[] {
  const isForClient = isForTls && CERTIFICATE.some(key => existing.includes(key))
  return isForClient ? [...new Set([...keys, ...CERTIFICATE])] : keys
}

/** The kubelet ignores a pull secret of any other type: https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets */
const PULL_TYPES = ['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg']

const pathOf = ({ namespace }: ResolvedClaim, kind: Kind) => `/api/v1/namespaces/${namespace}/${resourceOf(kind)}s`
const resourceOf = (kind: Kind) => (kind === 'Secret' ? 'secret' : 'configmap')
const listed = (keys: readonly string[]) => `${keys.length === 1 ? 'key' : 'keys'} ${keys.map(key => `'${key}'`).join(', ')}`
/** Shows the type and keys of a Secret, no values. */
const describe = ({ namespace }: ResolvedClaim, { kind, name }: Named) =>
  shell`kubectl -n ${namespace} describe ${resourceOf(kind)} ${name}`
const edit = ({ namespace, name }: ResolvedClaim) => shell`kubectl -n ${namespace} edit eventdrivenservice ${name}`

/** Names, without values. */
export interface Found {
  readonly ok: true
  /** Undefined for a ConfigMap. */
  readonly type: string | undefined
  readonly keys: readonly string[]
}

/** A table row shows that the object exists and a Secret's type, without reading its values. */
export async function readRow(api: Api, path: string): Promise<Found | Failed> {
  const answer = await api.table(path)
  return answer.ok ? { ok: true, type: cellsOf(answer.body, 'Type')[0], keys: [] } : answer
}

export async function readKeys(api: Api, path: string): Promise<Found | Failed> {
  const answer = await api.get(path)
  if (!answer.ok) return answer
  const type = at(answer.body, 'type')
  // A ConfigMap has its values that are not text under binaryData.
  const keys = ['data', 'binaryData'].flatMap(field => {
    const values = at(answer.body, field)
    return isObject(values) ? Object.keys(values) : []
  })
  return { ok: true, type: typeof type === 'string' ? type : undefined, keys }
}

/** A column of the output of `kubectl get`. */
function cellsOf(table: Json, column: string): string[] {
  const index = items(at(table, 'columnDefinitions')).findIndex(one => at(one, 'name') === column)
  return items(at(table, 'rows'))
    .flatMap(one => at(one, 'cells', index) ?? [])
    .map(textOf)
}

async function missing(api: Api, claim: ResolvedClaim, named: Named, row: string): Promise<Check> {
  const { kind, name, keys, pulls } = named
  const table = await api.table(pathOf(claim, kind))
  const near = suggest(name, table.ok ? cellsOf(table.body, 'Name') : [])
  const create = pulls ? createForPulling(claim, name) : createFrom(claim, named, keys)
  return wrong(
    row,
    `namespace ${claim.namespace} has no ${kind} '${name}'${near.question}${near.otherwise(create)}`,
    near.name === undefined ? create : edit(claim),
  )
}

/** Reads each key from a file, so no value appears on the command line. */
function createFrom({ namespace }: ResolvedClaim, { kind, name }: Named, keys: readonly string[]): string {
  const create =
    kind === 'Secret'
      ? shell`kubectl -n ${namespace} create secret generic ${name}`
      : shell`kubectl -n ${namespace} create configmap ${name}`
  return create + keys.map(key => shell` --from-file=${key}`).join('')
}

/** Names the registry of the claim's image. kubectl rejects the command if the two variables are not set. */
function createForPulling({ namespace, image }: ResolvedClaim, name: string): string {
  const [first = ''] = image.split('/')
  const server = image.includes('/') && /[.:]|^localhost$/.test(first) ? shell` --docker-server=${first}` : ''
  const create = shell`kubectl -n ${namespace} create secret docker-registry ${name}`
  return `${create}${server} --docker-username="$REGISTRY_USER" --docker-password="$REGISTRY_TOKEN"`
}

interface Keys {
  readonly absent: readonly string[]
  readonly existing: readonly string[]
}

function withoutKeys(claim: ResolvedClaim, named: Named, row: string, { absent, existing }: Keys): Check {
  const { namespace } = claim
  const { kind, name, keys } = named
  const unused = existing.filter(key => !keys.includes(key))
  const suggestions = absent.map(key => ({ key, near: suggest(key, unused) }))
  const [misspelt] = suggestions.filter(({ near }) => near.name !== undefined)
  const patch = shell`kubectl -n ${namespace} patch ${resourceOf(kind)} ${name} --type merge --patch-file /dev/stdin`
  const add = `${createFrom(claim, named, absent)} --dry-run=client -o yaml | ${patch}`
  const message = suggestions.map(({ key, near }) => `has no key '${key}'${whyNeeded(named, key, existing)}${near.question}`).join('; ')
  return wrong(
    row,
    `${message}; its keys: ${existing.join(', ') || 'none'}${misspelt?.near.otherwise(add) ?? ''}`,
    misspelt === undefined ? add : edit(claim),
  )
}

function whyNeeded({ isForTls }: Named, key: string, existing: readonly string[]): string {
  const [certificate, itsKey] = CERTIFICATE
  const other = key === certificate ? itsKey : key === itsKey ? certificate : undefined
  return isForTls && other !== undefined && existing.includes(other) ? `, which goes with '${other}'` : ''
}

function unreadable(row: string, claim: ResolvedClaim, named: Named, answer: Failed): Check {
  const { kind, keys, optionalKeys } = named
  const all = [...keys, ...optionalKeys]
  const withKeys = all.length === 0 ? '' : ` with ${listed(all)}`
  if (answer.status !== 403) return unknown(row, `can't be read: ${reasonOf(answer)}`)
  return unknown(
    row,
    `you may not read it, so doctor cannot check whether it exists${withKeys}: ${reasonOf(answer)}. Ask someone with access to list its keys${kind === 'Secret' ? ', which shows no values' : ''}`,
    describe(claim, named),
  )
}

/** Quotes only the API server, because any other server may quote the secret. */
export const reasonOf = ({ status, body, reason }: Failed) =>
  status === undefined || at(body, 'kind') === 'Status' ? reason : `HTTP ${status}`
