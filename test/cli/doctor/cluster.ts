// Fakes an API server with TLS and recorded responses. recorded.json comes from Kubernetes 1.35.4 with Crossplane 2.3.4 and
// KEDA 2.20 (built from source, so its image has no version), without the fields that nothing reads.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, request as forwardWithTls, type ServerOptions } from 'node:https'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createAuthority, issueCertificate } from '../../../scripts/certificates.ts'
import type { PublishedCheck } from '../../../src/cli/doctor/print.ts'
import { eds } from '../../../src/cli/eds.ts'
import { at, isObject, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { recorded } from '../io.ts'
import answers from './recorded.json' with { type: 'json' }

export const paths = {
  crossplane: '/apis/apps/v1/deployments?labelSelector=app%3Dcrossplane',
  crossplanePods: '/api/v1/namespaces/crossplane-system/pods?labelSelector=app%3Dcrossplane%2Crelease%3Dcrossplane',
  keda: '/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dkeda-operator',
  kedaMetrics: '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io',
  functions: '/apis/pkg.crossplane.io/v1/functions',
  configurations: '/apis/pkg.crossplane.io/v1/configurations',
  providers: '/apis/pkg.crossplane.io/v1/providers',
  compositions: '/apis/apiextensions.crossplane.io/v1/compositions',
  definition: '/apis/apiextensions.crossplane.io/v1/compositeresourcedefinitions/xeventdrivenservices.platform.bizmatters.io',
  namespaced: '/apis/apiextensions.crossplane.io/v1/compositeresourcedefinitions/eventdrivenservices.platform.bizmatters.io',
  claim: '/apis/platform.bizmatters.io/v1alpha1/namespaces/shop/eventdrivenservices/orders-worker',
  pods: '/api/v1/namespaces/shop/pods?labelSelector=app.kubernetes.io%2Fname%3Dorders-worker',
  podEvents: '/api/v1/namespaces/shop/events?fieldSelector=involvedObject.kind%3DPod%2Ctype%3DWarning',
  replicaSets: '/apis/apps/v1/namespaces/shop/replicasets?labelSelector=app.kubernetes.io%2Fname%3Dorders-worker',
  failedCreations: '/api/v1/namespaces/shop/events?fieldSelector=involvedObject.kind%3DReplicaSet%2Creason%3DFailedCreate',
  secret: (name: string) => `/api/v1/namespaces/shop/secrets/${name}`,
  secrets: '/api/v1/namespaces/shop/secrets?includeObject=None',
  shopConfigMap: (name: string) => `/api/v1/namespaces/shop/configmaps/${name}`,
  shopConfigMaps: '/api/v1/namespaces/shop/configmaps?includeObject=None',
  crd: (name: string) => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`,
  service: (name: string) => `/api/v1/namespaces/nats/services/${name}`,
  services: '/api/v1/namespaces/nats/services',
  configMap: (name: string) => `/api/v1/namespaces/knative-serving/configmaps/${name}`,
} as const

const tidy = { commonName: 'kubernetes', keyIdentifiers: true }
export const authority = createAuthority(tidy)
const identity = issueCertificate(authority, { ...tidy, commonName: 'kube-apiserver', usages: ['server'], addresses: ['127.0.0.1'] })

export interface Refusal {
  readonly refused: number
  readonly message: string
  /** Replaces the Status with the message. */
  readonly body?: JsonObject
  /** Whether the response is the bare message. */
  readonly isText?: boolean
}
/** The response to a request for table rows: the name of each ConfigMap. */
export const configMapTable = (...names: readonly string[]): JsonObject => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  columnDefinitions: ['Name', 'Data', 'Age'].map(name => ({ name })),
  rows: names.map(name => ({ cells: [name, 1, '5m'], object: null })),
})

/** The response to a request for table rows: the name and type of each Secret. */
export const secretTable = (...rows: readonly { readonly name: string; readonly type?: string }[]): JsonObject => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  columnDefinitions: ['Name', 'Type', 'Data', 'Age'].map(name => ({ name })),
  rows: rows.map(({ name, type = 'Opaque' }) => ({ cells: [name, type, 1, '5m'], object: null })),
})

/** A pod of the claim `shop/orders-worker`, unless another namespace is named. */
export const pod = (name: string, status: JsonObject, namespace = 'shop'): JsonObject => ({ metadata: { name, namespace }, status })
export const readyPod = (name: string): JsonObject =>
  pod(name, {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'main', state: { running: {} }, lastState: {}, ready: true }],
  })

export const refused = (status: number, message: string, body?: JsonObject): Refusal => ({
  refused: status,
  message,
  ...(body && { body }),
})
const isRefusal = (value: unknown): value is Refusal => isObject(value) && typeof value.refused === 'number'

/** The response for each path: JSON, or plain text. Undefined responds with 404. */
export type Answers = Readonly<Record<string, JsonObject | Refusal | string | undefined>>

export interface Review {
  readonly user: string
  readonly groups: readonly Json[]
  /** Such as `create scaledobjects.keda.sh`. */
  readonly what: string
}

export interface ClusterOptions {
  readonly answers?: Answers
  /** Which access reviews are denied. */
  readonly denies?: (review: Review) => boolean
  /** The real port behind a `…/services/NAME:PORT/proxy/` or `…/pods/NAME:PORT/proxy/`; TLS for `https:NAME:PORT`. */
  readonly proxies?: Readonly<Record<string, number>>
  readonly tls?: ServerOptions
  /** Which requests are authenticated; all by default. */
  readonly admits?: (request: IncomingMessage) => boolean
  /** Answers a server-side apply, instead of the answer for the path; the path has its query. */
  readonly applies?: (path: string, wanted: JsonObject) => JsonObject | Refusal | undefined
}

export interface Cluster {
  readonly url: string
  readonly asked: readonly string[]
  readonly reviews: readonly Review[]
  /** Changes responses from now on. */
  readonly change: (answers: Answers) => void
}

export async function startCluster({
  answers: own = {},
  denies,
  proxies = {},
  tls,
  admits,
  applies,
}: ClusterOptions = {}): Promise<Cluster> {
  const asked: string[] = []
  const reviews: Review[] = []
  const table: Record<string, Answers[string]> = { ...answers, ...own }
  const server = createServer({ cert: identity.certificate, key: identity.key, ...tls }, async (request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    if (admits !== undefined && !admits(request)) return refuse(response, 401, 'Unauthorized')
    if (request.method === 'POST') return respond(response, 201, review(await bodyOf(request)))
    const applied = request.method === 'PATCH' ? applies?.(path, (await bodyOf(request)) as JsonObject) : undefined
    const proxied = /^\/api\/v1\/namespaces\/[^/]+\/((?:services|pods)\/[^/]+)\/proxy(\/.*)$/.exec(path)
    const [, door = '', rest = ''] = proxied ?? []
    if (proxied !== null && proxies[door] !== undefined) return pass(proxies[door], rest, response, { useTls: door.includes('/https:') })
    const answer = applied ?? (Object.hasOwn(table, path) ? table[path] : undefined)
    if (answer === undefined) return refuse(response, 404, 'the server could not find the requested resource')
    if (isRefusal(answer) && answer.isText) return void response.writeHead(answer.refused).end(answer.message)
    if (isRefusal(answer))
      return answer.body ? respond(response, answer.refused, answer.body) : refuse(response, answer.refused, answer.message)
    if (typeof answer === 'string') return void response.writeHead(200, { 'content-type': 'text/plain' }).end(answer)
    const wantsTable = String(request.headers.accept).includes('as=Table')
    if (wantsTable !== (answer.kind === 'Table')) return refuse(response, 406, 'only the other form of this object is here')
    respond(response, 200, answer)
  })
  const port = await listening(server)
  return { url: `https://127.0.0.1:${port}`, asked, reviews, change: answers => void Object.assign(table, answers) }

  function review(body: Json): JsonObject {
    const { group, resource, verb } = at(body, 'spec', 'resourceAttributes') as JsonObject
    const groups = at(body, 'spec', 'groups')
    const one = {
      user: String(at(body, 'spec', 'user')),
      groups: Array.isArray(groups) ? groups : [],
      what: `${verb} ${resource}${group === '' ? '' : `.${group}`}`,
    }
    reviews.push(one)
    return { kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', status: { allowed: denies?.(one) !== true } }
  }
}

/** Listens on a free port until the test ends. */
export function listening(server: Server): Promise<number> {
  onTestFinished(() => void server.close())
  return new Promise((resolve, reject) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('the server has no port'))
      else resolve(address.port)
    }),
  )
}

function respond(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const refuse = (response: ServerResponse, code: number, message: string) =>
  respond(response, code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code })

async function bodyOf(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

/** Proxies a request, and fails like the proxy of an API server. */
function pass(port: number, path: string, response: ServerResponse, { useTls }: { readonly useTls: boolean }): void {
  const target = { host: '127.0.0.1', port, path }
  const answered = (answer: IncomingMessage) => {
    response.writeHead(answer.statusCode ?? 0, answer.headers)
    answer.pipe(response)
  }
  // An API server does not check the certificate either.
  const onward = useTls ? forwardWithTls({ ...target, rejectUnauthorized: false }, answered) : forward(target, answered)
  onward.on('error', error => refuse(response, 503, `error trying to reach service: dial tcp 10.0.0.4:8222: ${explain(error)}`))
  onward.end()
}
const explain = (error: Error) => (error.message.includes('ECONNREFUSED') ? 'connect: connection refused' : error.message)

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

export interface Config {
  readonly server: string
  readonly cluster?: JsonObject
  readonly user?: JsonObject
  readonly context?: JsonObject
  readonly name?: string
}

/** A kubeconfig with one cluster, user and context of the same name. */
export function configOf({ server, cluster, user = {}, context, name = 'test' }: Config): JsonObject {
  const trusted = cluster ?? { 'certificate-authority-data': Buffer.from(authority.certificate).toString('base64') }
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, ...trusted } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, ...context } }],
  }
}

export function writeConfig(config: JsonObject, folder = temporaryFolder()): string {
  const file = join(folder, `config-${String(config['current-context'])}`)
  writeFileSync(file, JSON.stringify(config))
  return file
}

export interface Diagnosis {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  /** The checks of `-o json`, by name. */
  readonly checks: Readonly<Record<string, { readonly state: string; readonly message: string; readonly fix?: string }>>
}

/** Runs `eds doctor -o json` against the cluster. */
export const examine = (cluster: Cluster, ...args: string[]) => examineWith(writeConfig(configOf({ server: cluster.url })), ...args)

/** Runs `eds doctor -o json` with this kubeconfig. */
export async function examineWith(kubeconfig: string, ...args: string[]): Promise<Diagnosis> {
  const { io, stdout, stderr } = recorded()
  const exit = await eds(['doctor', '--kubeconfig', kubeconfig, '-o', 'json', ...args], io)
  const output: unknown = stdout() === '' ? { checks: [] } : JSON.parse(stdout())
  const { checks } = output as { checks: PublishedCheck[] }
  return { exit, stdout: stdout(), stderr: stderr(), checks: Object.fromEntries(checks.map(byName)) }
}

const byName = ({ name, state, says: message, mend: fix }: PublishedCheck) =>
  [name, { state, message, ...(fix !== undefined && { fix }) }] as const

/** Changes a recorded response. */
export function changed(path: string, change: (text: string) => string): Answers {
  const found = Object.entries(answers).find(([key]) => key === path)
  if (found === undefined) throw new Error(`no response is recorded for ${path}`)
  const before = JSON.stringify(found[1])
  const after = change(before)
  if (after === before) throw new Error(`${path} was not changed`)
  return { [path]: JSON.parse(after) }
}
