// Finds the cluster and the credentials: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { type ConnectionOptions, createSecureContext, type SecureContextOptions } from 'node:tls'
import { at, isObject, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { readSource } from '../yaml/source.ts'
import { type Credentials, runPlugin } from './exec-plugin.ts'

export interface Connection {
  readonly server: URL
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>
  readonly authorization: string | undefined
  readonly context: string
  /** The context's namespace, for claims that name none. */
  readonly namespace: string
}

export interface Problem {
  readonly problem: string
}

export interface Where {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/** An entry of a kubeconfig, and the folder that its paths are relative to. */
interface Entry {
  readonly body: JsonObject
  readonly folder: string
}

export async function findConnection({ kubeconfig, context: chosenContext, env }: Where): Promise<Connection | Problem> {
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter(file => file !== '')
  const named = kubeconfig === undefined ? listed : [kubeconfig]
  const files = named.length > 0 ? named : [join(env.HOME ?? homedir(), '.kube', 'config')]
  const entries: Entry[] = []
  for (const file of files) {
    const read = readKubeconfig(file)
    if ('body' in read) entries.push(read)
    // kubectl skips missing files of a list, too.
    else if (files.length === 1 || !read.isMissing) return read
  }
  if (entries.length === 0) return { problem: `no kubeconfig found: ${files.join(', ')}` }

  const current = entries.map(({ body }) => text(body['current-context'])).find(name => name !== undefined)
  const context = chosenContext ?? current
  if (context === undefined) return { problem: `${files.join(', ')}: no current-context is set; choose a context with --context NAME` }
  const chosen = find(entries, 'contexts', 'context', context)
  if (chosen === undefined) return { problem: `context '${context}' does not exist; available contexts: ${namesOf(entries, 'contexts')}` }
  const clusterName = text(chosen.body.cluster) ?? ''
  const cluster = find(entries, 'clusters', 'cluster', clusterName)
  if (cluster === undefined) return { problem: `context '${context}' names cluster '${clusterName}', which does not exist` }
  const userName = text(chosen.body.user)
  const user = userName === undefined ? undefined : find(entries, 'users', 'user', userName)
  if (userName !== undefined && user === undefined)
    return { problem: `context '${context}' names user '${userName}', which does not exist` }
  try {
    return await connection({ context, namespace: text(chosen.body.namespace) ?? 'default', cluster, user, env })
  } catch (error) {
    // A file that the kubeconfig names can't be read.
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

function readKubeconfig(file: string): Entry | (Problem & { isMissing: boolean }) {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return { isMissing, problem: isMissing ? `${file}: kubeconfig not found` : String(error) }
  }
  const { documents, findings } = readSource(file, content)
  const [finding] = findings
  // One of several files may be empty.
  const value = documents[0]?.value ?? {}
  if (finding !== undefined) return { isMissing: false, problem: `${file}:${finding.line}: ${finding.problem}` }
  if (!isObject(value) || (value.kind ?? 'Config') !== 'Config')
    return { isMissing: false, problem: `${file}: is not a kubeconfig: its kind is not Config` }
  return { body: value, folder: dirname(resolve(file)) }
}

/** The first file that has an entry of this name wins, as with kubectl. */
function find(entries: readonly Entry[], list: string, field: string, name: string): Entry | undefined {
  for (const { body, folder } of entries) {
    const items = body[list]
    const found: unknown = Array.isArray(items) ? items.find(item => at(item, 'name') === name) : undefined
    const inner = at(found, field)
    if (isObject(inner)) return { body: inner, folder }
  }
  return undefined
}

const namesOf = (entries: readonly Entry[], list: string): string =>
  entries
    .flatMap(({ body }) => body[list])
    .map(item => text(at(item, 'name')))
    .filter(name => name !== undefined)
    .join(', ') || 'none'

interface Chosen {
  readonly context: string
  readonly namespace: string
  readonly cluster: Entry
  readonly user: Entry | undefined
  readonly env: Where['env']
}

async function connection({ context, namespace, cluster, user, env }: Chosen): Promise<Connection | Problem> {
  const { body } = cluster
  const address = text(body.server) ?? ''
  if (!URL.canParse(address) || !/^https?:/.test(address))
    return { problem: `the server '${address}' of context '${context}' is not an http(s) URL` }
  if (text(body['proxy-url']) !== undefined) return { problem: `context '${context}' has a proxy-url, which eds does not support` }
  const ca = data(cluster, 'certificate-authority')
  const credentials = user === undefined ? {} : await credentialsOf(user, cluster, env)
  if ('problem' in credentials) return credentials
  const { cert, key, token } = credentials
  const servername = text(body['tls-server-name'])
  const own = cert !== undefined && key !== undefined && { cert, key }
  const complaint = complain({ ...(ca && { ca }), ...own })
  if (complaint !== undefined) return { problem: `the certificate and key for context '${context}' can't be used: ${complaint}` }
  return {
    server: new URL(address),
    tls: {
      ...(ca && { ca }),
      ...own,
      ...(servername !== undefined && { servername }),
      rejectUnauthorized: body['insecure-skip-tls-verify'] !== true,
    },
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    context,
    namespace,
  }
}

function complain(certificates: SecureContextOptions): string | undefined {
  try {
    createSecureContext(certificates)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function credentialsOf(user: Entry, cluster: Entry, env: Where['env']): Promise<Credentials | Problem> {
  const { body, folder } = user
  if (isObject(body['auth-provider']))
    return { problem: 'the user has an auth-provider, which Kubernetes 1.26 removed: use an exec plugin instead' }
  const cert = data(user, 'client-certificate')?.toString('utf8')
  const key = data(user, 'client-key')?.toString('utf8')
  const file = text(body.tokenFile)
  // The file takes precedence because it may be rotated.
  const token = file === undefined ? text(body.token) : readFileSync(resolve(folder, file), 'utf8').trim()
  const own: Credentials = { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), ...(token !== undefined && { token }) }
  if (token !== undefined || cert !== undefined || !isObject(body.exec)) return own
  return runPlugin(body.exec, { folder, env, cluster: clusterInfo(cluster) })
}

const clusterInfo = (cluster: Entry): JsonObject => ({
  server: text(cluster.body.server),
  'tls-server-name': text(cluster.body['tls-server-name']),
  'insecure-skip-tls-verify': cluster.body['insecure-skip-tls-verify'] === true,
  'certificate-authority-data': data(cluster, 'certificate-authority')?.toString('base64'),
})

/** The value of <field>-data in the kubeconfig, or the content of the file that <field> names. */
function data({ body, folder }: Entry, field: string): Buffer | undefined {
  const inline = text(body[`${field}-data`])
  if (inline !== undefined) return Buffer.from(inline, 'base64')
  const file = text(body[field])
  return file === undefined ? undefined : readFileSync(resolve(folder, file))
}

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
