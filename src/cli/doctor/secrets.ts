// Checks that the secrets of a claim exist and have the keys. No value leaves this file.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, isObject, items, type Json, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, isAbsent } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'
import type { Failed } from './http.ts'
import { suggest } from './suggestion.ts'

interface Named {
  readonly secret: string
  readonly keys: readonly string[]
  /** The claim lists it under imagePullSecrets. */
  readonly pulls: boolean
}

/** A row for each secret. */
export const checkSecrets = (api: Api, claim: ResolvedClaim): Promise<Check[]> =>
  Promise.all(secretsOf(claim).map(named => checkSecret(api, claim, named)))

function secretsOf({ variables, bulkSources, imagePullSecrets }: ResolvedClaim): Named[] {
  const used = variables.flatMap(variable =>
    'from' in variable && variable.from.kind === 'Secret' ? [{ secret: variable.from.name, key: variable.key }] : [],
  )
  const whole = bulkSources.filter(({ kind }) => kind === 'Secret')
  const names = new Set([...used.map(({ secret }) => secret), ...whole.map(({ name }) => name), ...imagePullSecrets])
  return [...names].map(secret => ({
    secret,
    keys: [...new Set(used.filter(one => one.secret === secret).map(({ key }) => key))],
    pulls: imagePullSecrets.includes(secret),
  }))
}

async function checkSecret(api: Api, claim: ResolvedClaim, named: Named): Promise<Check> {
  const { secret, keys, pulls } = named
  const { namespace } = claim
  const row = `Secret ${secret} of ${namespace}/${claim.name}`
  const path = `${pathOf(claim)}/${encodeURIComponent(secret)}`
  const found = keys.length === 0 ? await readRow(api, path) : await readSecret(api, path)
  if (!found.ok) return isAbsent(found) ? missing(api, claim, named, row) : unreadable(row, claim, named, found)
  const absent = keys.filter(key => !found.keys.includes(key))
  if (absent.length > 0) return withoutKeys(claim, named, row, { absent, existing: found.keys })
  if (pulls && found.type !== undefined && !PULL_TYPES.includes(found.type))
    return wrong(
      row,
      `has type ${found.type}, so the kubelet does not pull images with it; the type must be ${PULL_TYPES[0]}`,
      describe(claim, secret),
    )
  return well(row, keys.length === 0 ? 'exists' : `exists, with ${listed(keys)}`)
}

/** The kubelet ignores a pull secret of any other type: https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets */
const PULL_TYPES = ['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg']

const pathOf = ({ namespace }: ResolvedClaim) => `/api/v1/namespaces/${namespace}/secrets`
const listed = (keys: readonly string[]) => `${keys.length === 1 ? 'key' : 'keys'} ${keys.map(key => `'${key}'`).join(', ')}`
/** Shows type and keys, no values. */
const describe = ({ namespace }: ResolvedClaim, secret: string) => shell`kubectl -n ${namespace} describe secret ${secret}`
const edit = ({ namespace, name }: ResolvedClaim) => shell`kubectl -n ${namespace} edit eventdrivenservice ${name}`

/** Names, without values. */
interface Found {
  readonly ok: true
  readonly type: string | undefined
  readonly keys: readonly string[]
}

/** A table row shows that the Secret exists and its type, without reading its values. */
async function readRow(api: Api, path: string): Promise<Found | Failed> {
  const answer = await api.table(path)
  return answer.ok ? { ok: true, type: cellsOf(answer.body, 'Type')[0], keys: [] } : answer
}

async function readSecret(api: Api, path: string): Promise<Found | Failed> {
  const answer = await api.get(path)
  if (!answer.ok) return answer
  const [data, type] = [at(answer.body, 'data'), at(answer.body, 'type')]
  return { ok: true, type: typeof type === 'string' ? type : undefined, keys: isObject(data) ? Object.keys(data) : [] }
}

/** A column of the output of `kubectl get`. */
function cellsOf(table: Json, column: string): string[] {
  const index = items(at(table, 'columnDefinitions')).findIndex(one => at(one, 'name') === column)
  return items(at(table, 'rows'))
    .flatMap(one => at(one, 'cells', index) ?? [])
    .map(textOf)
}

async function missing(api: Api, claim: ResolvedClaim, { secret, keys, pulls }: Named, row: string): Promise<Check> {
  const table = await api.table(pathOf(claim))
  const near = suggest(secret, table.ok ? cellsOf(table.body, 'Name') : [])
  const create = pulls
    ? createForPulling(claim, secret)
    : shell`kubectl -n ${claim.namespace} create secret generic ${secret}` + fromFiles(keys)
  return wrong(
    row,
    `namespace ${claim.namespace} has no Secret '${secret}'${near.question}${near.otherwise(create)}`,
    near.name === undefined ? create : edit(claim),
  )
}

/** Reads each key from a file, so no value appears on the command line. */
const fromFiles = (keys: readonly string[]) => keys.map(key => shell` --from-file=${key}`).join('')

/** Names the registry of the claim's image. kubectl rejects the command if the two variables are not set. */
function createForPulling({ namespace, image }: ResolvedClaim, secret: string): string {
  const [first = ''] = image.split('/')
  const server = image.includes('/') && /[.:]|^localhost$/.test(first) ? shell` --docker-server=${first}` : ''
  const create = shell`kubectl -n ${namespace} create secret docker-registry ${secret}`
  return `${create}${server} --docker-username="$REGISTRY_USER" --docker-password="$REGISTRY_TOKEN"`
}

interface Keys {
  readonly absent: readonly string[]
  readonly existing: readonly string[]
}

function withoutKeys(claim: ResolvedClaim, { secret, keys }: Named, row: string, { absent, existing }: Keys): Check {
  const { namespace } = claim
  const unused = existing.filter(key => !keys.includes(key))
  const suggestions = absent.map(key => ({ key, near: suggest(key, unused) }))
  const [misspelt] = suggestions.filter(({ near }) => near.name !== undefined)
  const create = shell`kubectl -n ${namespace} create secret generic ${secret}` + fromFiles(absent)
  const add = `${create} --dry-run=client -o yaml | ${shell`kubectl -n ${namespace} patch secret ${secret} --type merge --patch-file /dev/stdin`}`
  const message = suggestions.map(({ key, near }) => `has no key '${key}'${near.question}`).join('; ')
  return wrong(
    row,
    `${message}; its keys: ${existing.join(', ') || 'none'}${misspelt?.near.otherwise(add) ?? ''}`,
    misspelt === undefined ? add : edit(claim),
  )
}

function unreadable(row: string, claim: ResolvedClaim, { secret, keys }: Named, answer: Failed): Check {
  const withKeys = keys.length === 0 ? '' : ` with ${listed(keys)}`
  if (answer.status !== 403) return unknown(row, `can't be read: ${reasonOf(answer)}`)
  return unknown(
    row,
    `you may not read it, so doctor cannot check whether it exists${withKeys}: ${reasonOf(answer)}. Ask someone with access to list its keys, which shows no values`,
    describe(claim, secret),
  )
}

/** Quotes only the API server, because any other server may quote the secret. */
const reasonOf = ({ status, body, reason }: Failed) => (status === undefined || at(body, 'kind') === 'Status' ? reason : `HTTP ${status}`)
