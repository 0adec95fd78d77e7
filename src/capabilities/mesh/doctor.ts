// Checks Istio: its kinds, istiod and its reading of paths, the gateway, the ports of NATS, and the CNI plugin that restricted pods need.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { type Api, isAbsent, itemsOf, nameOf, namespaceOf } from '../../cli/doctor/api.ts'
import { type Check, unknown, well, wrong } from '../../cli/doctor/check.ts'
import { checkDefinitions } from '../../cli/doctor/definitions.ts'
import { findDeployments, healthOf } from '../../cli/doctor/deployment.ts'
import { type Diagnosis, noClaimNeedsIt, type Subject } from '../../cli/doctor/diagnosis.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { MeshPlatform } from '../../platform/platform.ts'
import { shell } from '../../text/shell-quote.ts'

const chart = (release: string, name: string) =>
  `helm upgrade --install ${release} ${name} --repo https://istio-release.storage.googleapis.com/charts --namespace istio-system --create-namespace`
const INSTALL = `${chart('istio-base', 'base')} && ${chart('istiod', 'istiod')}`

const crds = [
  'peerauthentications.security.istio.io',
  'authorizationpolicies.security.istio.io',
  'virtualservices.networking.istio.io',
  'destinationrules.networking.istio.io',
  'telemetries.telemetry.istio.io',
]
const gatewayCrds = ['httproutes.gateway.networking.k8s.io', 'listenersets.gateway.networking.k8s.io']
const GATEWAY_API = 'kubectl apply -f https://github.com/kubernetes-sigs/gateway-api/releases/latest/download/standard-install.yaml'

export const meshDiagnosis: Diagnosis = {
  name: 'Istio',
  isNeeded: ({ claims, platform }) => (claims.length === 0 ? platform.mesh !== undefined : claims.some(({ mesh }) => mesh !== undefined)),
  whyUnneeded: noClaimNeedsIt,
  check: checkIstio,
}

async function checkIstio(api: Api, { claims, platform }: Subject): Promise<Check[]> {
  const { mesh } = platform
  const kinds = await checkDefinitions(api, 'Istio', crds, INSTALL)
  // Without its CRDs Istio is not installed, so the other checks would only repeat that.
  if (kinds.state === 'wrong' || mesh === undefined) return [kinds]
  const members = claims.filter(claim => claim.mesh !== undefined)
  const others = await Promise.all([
    checkIstiod(api, mesh),
    checkPaths(api, mesh, members),
    ...(mesh.gateway ? [checkGateway(api, mesh.gateway)] : []),
    checkNatsPorts(api, mesh, members),
    checkCni(api, members),
  ])
  return [kinds, ...others.flat()]
}

const DEFAULT_REVISION = 'default'

async function checkIstiod(api: Api, { revision = DEFAULT_REVISION }: MeshPlatform): Promise<Check[]> {
  const row = 'istiod'
  const answer = await findDeployments(api, 'app=istiod')
  if (!answer.ok) return [unknown(row, `its Deployment can't be listed: ${answer.reason}`)]
  const all = itemsOf(answer)
  const revisionOf = (deployment: JsonObject) => textOf(at(deployment, 'metadata', 'labels', 'istio.io/rev') ?? DEFAULT_REVISION)
  const deployment = all.find(one => revisionOf(one) === revision)
  if (all.length === 0) return [wrong(row, 'no Deployment in any namespace has the label app=istiod, so no pod gets a sidecar', INSTALL)]
  if (deployment === undefined)
    return [
      wrong(
        row,
        `no istiod has the revision '${revision}', so no pod gets a sidecar; its revisions: ${all.map(revisionOf).join(', ')} (mesh.revision in the function's input)`,
        'kubectl get deployments -A -l app=istiod -L istio.io/rev',
      ),
    ]
  const { isWell, message, inspect } = await healthOf(api, deployment)
  return [isWell ? well(row, `${message}, revision ${revision}`) : wrong(row, message, inspect)]
}

const NORMALIZATION = 'DECODE_AND_MERGE_SLASHES'

/** Below a public path, a path with an encoded slash reaches any other, unless Istio decodes it before it compares. */
async function checkPaths(api: Api, { revision = DEFAULT_REVISION }: MeshPlatform, claims: readonly ResolvedClaim[]): Promise<Check[]> {
  const row = 'Public paths'
  const claim = claims.find(({ mesh }) => mesh?.jwt?.publicPaths.some(path => path.endsWith('*')))
  if (claim === undefined) return []
  const [istiod] = itemsOf(await findDeployments(api, 'app=istiod'))
  if (istiod === undefined) return []
  const namespace = namespaceOf(istiod)
  const name = revision === DEFAULT_REVISION ? 'istio' : `istio-${revision}`
  const answer = await api.get(`/api/v1/namespaces/${namespace}/configmaps/${name}`)
  if (!answer.ok) return [unknown(row, `Istio's ConfigMap ${namespace}/${name} can't be read: ${answer.reason}`)]
  const [, found = 'DEFAULT'] =
    /^ *pathNormalization:(?: \{ ?|\n +)normalization: ["']?(\w+)/m.exec(textOf(at(answer.body, 'data', 'mesh'))) ?? []
  if (found === NORMALIZATION) return [well(row, `Istio's pathNormalization is ${found}`)]
  return [
    wrong(
      row,
      `Istio's pathNormalization is ${found}, so a request for /public/..%2fprivate passes spec.mesh.jwt.publicPaths of ${claim.namespace}/${claim.name} without a token`,
      `${chart('istiod', 'istiod')} --reuse-values --set meshConfig.pathNormalization.normalization=${NORMALIZATION}`,
    ),
  ]
}

type Gateway = MeshPlatform['gateway'] & object

const checkGateway = (api: Api, gateway: Gateway): Promise<Check[]> =>
  gateway.style === 'Istio' ? checkGatewayPods(api, gateway) : checkGatewayObject(api, gateway)

async function checkGatewayPods(api: Api, { namespace, selector = { istio: 'ingressgateway' } }: Gateway): Promise<Check[]> {
  const row = 'Gateway'
  const answer = await api.get(`/apis/apps/v1/namespaces/${namespace}/deployments`)
  if (!answer.ok) return [unknown(row, `the Deployments of namespace ${namespace} can't be listed: ${answer.reason}`)]
  const labels = Object.entries(selector)
  const shown = labels.map(([name, value]) => `${name}=${value}`).join(',')
  const deployment = itemsOf(answer).find(one =>
    labels.every(([name, value]) => at(one, 'spec', 'template', 'metadata', 'labels', name) === value),
  )
  if (deployment === undefined) {
    const message = `no Deployment in namespace ${namespace} has pods with the labels ${shown} (mesh.gateway in the function's input)`
    return [wrong(row, message, shell`kubectl -n ${namespace} get deployments --show-labels`)]
  }
  const { isWell, message, inspect } = await healthOf(api, deployment)
  return [isWell ? well(row, message) : wrong(row, message, inspect)]
}

async function checkGatewayObject(api: Api, { name, namespace }: Gateway): Promise<Check[]> {
  const row = 'Gateway'
  const kinds = await checkDefinitions(api, 'Gateway API', gatewayCrds, GATEWAY_API)
  if (kinds.state === 'wrong') return [kinds]
  const answer = await api.get(`/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/gateways/${name}`)
  const inspect = shell`kubectl -n ${namespace} describe gateways.gateway.networking.k8s.io ${name}`
  if (isAbsent(answer)) {
    const message = `Gateway ${namespace}/${name} does not exist (mesh.gateway in the function's input)`
    return [kinds, wrong(row, message, 'kubectl get gateways.gateway.networking.k8s.io -A')]
  }
  if (!answer.ok || !isObject(answer.body)) return [kinds, unknown(row, `can't be read: ${answer.ok ? 'no object' : answer.reason}`)]
  const from = at(answer.body, 'spec', 'allowedListeners', 'namespaces', 'from')
  if (from === undefined || from === 'None') {
    const patch = '{"spec":{"allowedListeners":{"namespaces":{"from":"All"}}}}'
    const fix = shell`kubectl -n ${namespace} patch gateways.gateway.networking.k8s.io ${name} --type merge -p ${patch}`
    return [kinds, wrong(row, `Gateway ${namespace}/${name} takes no ListenerSets, so no host of a claim is served`, fix)]
  }
  const state = observedCondition(answer.body, 'Programmed')
  return [
    kinds,
    state?.status === 'True'
      ? well(row, `Gateway ${namespace}/${name} is programmed and takes ListenerSets`)
      : wrong(row, `Gateway ${namespace}/${name} is not programmed${state?.message ? `: ${state.message}` : ''}`, inspect),
  ]
}

const IN_CLUSTER = /^[a-z]+:\/\/([a-z0-9-]+)\.([a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?:(\d+)/

/** A NATS server speaks first, and the sidecar waits for the client unless it knows that the port is plain TCP. */
async function checkNatsPorts(api: Api, { natsBypass }: MeshPlatform, claims: readonly ResolvedClaim[]): Promise<Check[]> {
  if (natsBypass) return []
  const addresses = [...new Set(claims.flatMap(({ nats }) => nats?.url.split(',') ?? []))].filter(address => !address.startsWith('ws'))
  return Promise.all(
    addresses.flatMap(address => {
      const [, service = '', namespace = '', port = ''] = IN_CLUSTER.exec(address) ?? []
      return service === '' ? [] : [checkNatsPort(api, service, namespace, port)]
    }),
  )
}

async function checkNatsPort(api: Api, service: string, namespace: string, port: string): Promise<Check> {
  const row = `NATS port ${port}`
  const answer = await api.get(`/api/v1/namespaces/${namespace}/services/${service}`)
  if (!answer.ok) return unknown(row, `Service ${namespace}/${service} can't be read: ${answer.reason}`)
  const index = items(at(answer.body, 'spec', 'ports')).findIndex(one => String(at(one, 'port')) === port)
  const found = items(at(answer.body, 'spec', 'ports'))[index]
  if (found === undefined) return unknown(row, `Service ${namespace}/${service} has no port ${port}`)
  if (at(found, 'appProtocol') === 'tcp' || /^tcp(?:-|$)/.test(textOf(at(found, 'name'))))
    return well(row, `Service ${namespace}/${service} says that it is plain TCP`)
  const patch = `[{"op":"add","path":"/spec/ports/${index}/appProtocol","value":"tcp"}]`
  return wrong(
    row,
    `Service ${namespace}/${service} does not say that it is plain TCP, so connections through the sidecar hang: NATS speaks first`,
    shell`kubectl -n ${namespace} patch service ${service} --type json -p ${patch}`,
  )
}

const ENFORCE = 'pod-security.kubernetes.io/enforce'

/** Without the plugin, an init container with more rights sets up the sidecar's network. */
async function checkCni(api: Api, claims: readonly ResolvedClaim[]): Promise<Check[]> {
  const row = 'istio-cni'
  const answer = await api.get(`/apis/apps/v1/daemonsets?labelSelector=${encodeURIComponent('k8s-app=istio-cni-node')}`)
  if (!answer.ok) return [unknown(row, `its DaemonSet can't be listed: ${answer.reason}`)]
  const [plugin] = itemsOf(answer)
  if (plugin !== undefined) return [well(row, `DaemonSet ${namespaceOf(plugin)}/${nameOf(plugin)} exists`)]
  const namespaces = [...new Set(claims.map(({ namespace }) => namespace))]
  const levels = await Promise.all(namespaces.map(async name => ({ name, answer: await api.get(`/api/v1/namespaces/${name}`) })))
  const strict = levels.find(
    ({ answer }) => answer.ok && ['baseline', 'restricted'].includes(textOf(at(answer.body, 'metadata', 'labels', ENFORCE))),
  )
  if (strict === undefined) return [unknown(row, 'is not installed; namespaces that enforce Pod Security need it')]
  return [
    wrong(
      row,
      `is not installed, and namespace ${strict.name} enforces Pod Security, which refuses pods with Istio's init container`,
      `${chart('istio-cni', 'cni')} && helm upgrade istiod istiod --repo https://istio-release.storage.googleapis.com/charts --namespace istio-system --reuse-values --set pilot.cni.enabled=true`,
    ),
  ]
}
