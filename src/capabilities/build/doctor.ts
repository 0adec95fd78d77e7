// Checks what builds images: Shipwright, Tekton, Flux for branches, the strategies, and the secrets of the claims.

import type { Build, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { type Api, isAbsent, itemsOf } from '../../cli/doctor/api.ts'
import { type Check, unknown, well, wrong } from '../../cli/doctor/check.ts'
import { checkDefinitions } from '../../cli/doctor/definitions.ts'
import { healthOf } from '../../cli/doctor/deployment.ts'
import { type Diagnosis, noClaimNeedsIt, type Subject } from '../../cli/doctor/diagnosis.ts'
import { type Found, readKeys, readRow, reasonOf } from '../../cli/doctor/sources.ts'
import { shell } from '../../text/shell-quote.ts'

interface Product {
  readonly name: string
  readonly crds: readonly string[]
  readonly deployment: string
  readonly install: string
}

const shipwright: Product = {
  name: 'Shipwright',
  crds: ['buildruns.shipwright.io', 'clusterbuildstrategies.shipwright.io'],
  deployment: 'shipwright-build-controller',
  install:
    'kubectl apply --server-side -f https://github.com/shipwright-io/build/releases/download/v0.20.13/release.yaml && curl -sSL https://raw.githubusercontent.com/shipwright-io/build/v0.20.13/hack/setup-webhook-cert.sh | bash',
}

const tekton: Product = {
  name: 'Tekton Pipelines',
  crds: ['taskruns.tekton.dev'],
  deployment: 'tekton-pipelines-controller',
  install: 'kubectl apply -f https://infra.tekton.dev/tekton-releases/pipeline/previous/v1.15.0/release.yaml',
}

const flux: Product = {
  name: 'Flux',
  crds: ['gitrepositories.source.toolkit.fluxcd.io'],
  deployment: 'source-controller',
  install: 'flux install --components=source-controller',
}

export const buildDiagnosis: Diagnosis = {
  name: 'Shipwright',
  isNeeded: ({ claims, platform }) =>
    claims.length === 0 ? platform.build !== undefined : claims.some(({ build }) => build !== undefined),
  whyUnneeded: noClaimNeedsIt,
  check: checkBuilds,
}

async function checkBuilds(api: Api, subject: Subject): Promise<Check[]> {
  const building = subject.claims.flatMap(claim => (claim.build === undefined ? [] : [{ claim, build: claim.build }]))
  const follows = building.some(({ build }) => build.follow)
  const products = await Promise.all([shipwright, tekton, ...(follows ? [flux] : [])].map(product => checkProduct(api, product)))
  const isInstalled = products[0]?.[0]?.state !== 'wrong'
  const others = await Promise.all([
    // Without its CRDs Shipwright has no strategies.
    ...(isInstalled ? strategiesOf(subject).map(name => checkStrategy(api, name)) : []),
    ...building.flatMap(({ claim, build }) => secretsOf(claim, build).map(secret => checkSecret(api, claim, secret))),
  ])
  return [...products.flat(), ...others]
}

async function checkProduct(api: Api, { name, crds, deployment, install }: Product): Promise<Check[]> {
  const kinds = await checkDefinitions(api, name, crds, install)
  return kinds.state === 'wrong' ? [kinds] : [kinds, await checkController(api, deployment, install)]
}

/** By its name, in any namespace. */
async function checkController(api: Api, name: string, install: string): Promise<Check> {
  const answer = await api.get(`/apis/apps/v1/deployments?fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`)
  if (!answer.ok) return unknown(name, `its Deployment can't be listed: ${answer.reason}`)
  const [deployment] = itemsOf(answer)
  if (deployment === undefined) return wrong(name, 'no namespace has a Deployment of this name, so no build begins or ends', install)
  const { isWell, message, inspect } = await healthOf(api, deployment)
  return isWell ? well(name, message) : wrong(name, message, inspect)
}

/** The strategies that claims use; without claims, those that the platform offers. */
function strategiesOf({ claims, platform: { build, defaults } }: Subject): string[] {
  if (claims.length > 0) return [...new Set(claims.flatMap(claim => claim.build?.strategy ?? []))]
  const offered = Object.values(build?.languages ?? {}).flatMap(language => language?.strategy ?? [])
  return offered.length > 0 ? [...new Set(offered)] : [defaults.build?.strategy ?? []].flat()
}

const STRATEGIES = '/apis/shipwright.io/v1beta1/clusterbuildstrategies'

async function checkStrategy(api: Api, name: string): Promise<Check> {
  const row = `ClusterBuildStrategy ${name}`
  const answer = await api.get(`${STRATEGIES}/${encodeURIComponent(name)}`)
  if (answer.ok) return well(row, 'exists')
  if (!isAbsent(answer)) return unknown(row, `can't be read: ${answer.reason}`)
  return wrong(row, 'does not exist, so every build with it fails', 'kubectl get clusterbuildstrategies')
}

interface Needed {
  readonly name: string
  readonly use: 'clone' | 'push'
  /** Without values: each is read from a file, or from a variable that kubectl refuses if it is empty. */
  readonly create: string
  readonly lacks: (found: Found) => string | undefined
  readonly read: typeof readRow
}

function secretsOf({ namespace }: ResolvedClaim, build: Build): Needed[] {
  const { cloneSecret, pushSecret, image } = build
  return [
    ...(cloneSecret === undefined ? [] : [cloning(namespace, cloneSecret, build)]),
    ...(pushSecret === undefined ? [] : [pushing(namespace, pushSecret, image)]),
  ]
}

const isSsh = ({ url }: Build) => !/^https?:/.test(url)

/** Shipwright and Flux name the same things differently: https://fluxcd.io/flux/components/source/gitrepositories/#secret-reference */
function cloning(namespace: string, name: string, build: Build): Needed {
  const keys = isSsh(build) ? ['ssh-privatekey', ...(build.follow ? ['identity', 'known_hosts'] : [])] : ['username', 'password']
  const type = isSsh(build) ? 'kubernetes.io/ssh-auth' : 'kubernetes.io/basic-auth'
  const files = keys.map(key => (key === 'identity' ? ' --from-file=identity=ssh-privatekey' : ` --from-file=${key}`)).join('')
  return {
    name,
    use: 'clone',
    create: `${shell`kubectl -n ${namespace} create secret generic ${name} --type=${type}`}${files}`,
    read: readKeys,
    lacks: found => {
      const absent = keys.filter(key => !found.keys.includes(key))
      if (absent.length === 0) return undefined
      const others = found.keys.length === 0 ? 'none' : found.keys.join(', ')
      return `has no key ${absent.map(key => `'${key}'`).join(', ')}, which ${isSsh(build) ? 'SSH' : 'HTTPS'} needs; its keys: ${others}`
    },
  }
}

const PUSH_TYPE = 'kubernetes.io/dockerconfigjson'

function pushing(namespace: string, name: string, image: string): Needed {
  const [server = ''] = image.split('/')
  return {
    name,
    use: 'push',
    create: `${shell`kubectl -n ${namespace} create secret docker-registry ${name} --docker-server=${server}`} --docker-username="$REGISTRY_USER" --docker-password="$REGISTRY_TOKEN"`,
    read: readRow,
    lacks: ({ type }) => (type === PUSH_TYPE ? undefined : `has type ${type ?? 'unknown'}; the type must be ${PUSH_TYPE}`),
  }
}

async function checkSecret(api: Api, { namespace, name: claim }: ResolvedClaim, needed: Needed): Promise<Check> {
  const { name, use, create, lacks, read } = needed
  const row = `Secret ${name} of ${namespace}/${claim} (${use})`
  const found = await read(api, `/api/v1/namespaces/${namespace}/secrets/${encodeURIComponent(name)}`)
  if (!found.ok && isAbsent(found)) return wrong(row, `namespace ${namespace} has no Secret '${name}'`, create)
  if (!found.ok) return unknown(row, `can't be read: ${reasonOf(found)}`)
  const problem = lacks(found)
  return problem === undefined ? well(row, 'exists') : wrong(row, problem, shell`kubectl -n ${namespace} describe secret ${name}`)
}
