// Runs test/e2e/mesh/witness, a small Go program around Istio's own code.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { goTool, moduleSources } from '../go-tools.ts'

export const witness = () => goTool('mesh/witness')

/** One line of JSON for each question, and the same number of answers. */
async function ask(args: readonly string[], questions: readonly unknown[], environment: NodeJS.ProcessEnv = {}): Promise<unknown[]> {
  const child = spawn(await witness(), args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
  const exit = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  const texts = Promise.all([text(child.stdout), text(child.stderr)])
  child.stdin.on('error', () => undefined).end(questions.map(question => `${JSON.stringify(question)}\n`).join(''))
  const [code, [output, errors]] = await Promise.all([exit, texts])
  if (code !== 0) throw new Error(`witness ${args[0]} ended with ${code}: ${errors.trim()}`)
  // Istio's packages for tests log to the output before.
  const answers = output.split('\n').filter(line => line.startsWith('['))
  if (answers.length !== questions.length) throw new Error(`witness ${args[0]} gave ${answers.length} answers: ${errors.trim()}`)
  return answers.map(line => JSON.parse(line) as unknown)
}

export interface Verdict {
  /** Why the schema or CEL of the CRD refuses the object. */
  readonly schema?: string
  /** Why istiod refuses it. */
  readonly refused?: string
  readonly warned?: string
  /** Whether istiod validates the kind. */
  readonly istiod: boolean
  /** Whether there is a CRD of the kind. */
  readonly known: boolean
}

/** The CRDs of Istio and of the Gateway API. */
export async function crdFiles(): Promise<string[]> {
  const gateways = join(await moduleSources('crossplane/mesh', 'sigs.k8s.io/gateway-api'), 'config/crd/standard')
  return [
    join(await moduleSources('crossplane/mesh', 'istio.io/api'), 'kubernetes/customresourcedefinitions.gen.yaml'),
    ...['httproutes', 'listenersets', 'gateways'].map(plural => join(gateways, `gateway.networking.k8s.io_${plural}.yaml`)),
  ]
}

/** The verdicts on each list of manifests. */
export const judge = async (lists: readonly (readonly JsonObject[])[]) =>
  (await ask(['judge', ...(await crdFiles())], lists)) as (readonly Verdict[])[]

export interface Message {
  readonly code: string
  readonly level: string
  readonly resource: string
  readonly message: string
}

/** The messages of `istioctl analyze` on each world. */
export const analyze = async (worlds: readonly (readonly JsonObject[])[]) => (await ask(['analyze'], worlds)) as (readonly Message[])[]

export interface Question {
  readonly manifests: readonly JsonObject[]
  readonly mesh: JsonObject
  readonly proxies: readonly { readonly pod: string; readonly namespace: string; readonly gateway: boolean }[]
}

/** What istiod sends to a proxy. */
export interface Configuration {
  readonly listeners: readonly JsonObject[]
  readonly routes: readonly JsonObject[]
  readonly clusters: readonly JsonObject[]
  readonly endpoints: readonly JsonObject[]
}

// Filters that only Istio's build of Envoy contains, and the check of the certificate of a test's JWKS server.
const WITHOUT_OWN_FILTERS = {
  PILOT_ENABLE_ALPN_FILTER: 'false',
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  PILOT_DISABLE_MX_ALPN: 'true',
  JWKS_RESOLVER_INSECURE_SKIP_VERIFY: 'true',
}

/** What istiod sends to each proxy of each world. */
export const translate = async (questions: readonly Question[]) =>
  (await ask(['translate'], questions, WITHOUT_OWN_FILTERS)) as (readonly Configuration[])[]
