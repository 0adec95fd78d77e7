// Checks what KEDA queries: the monitoring endpoint, the stream and the consumer of an account.
import { resolveDefaults } from '../../claim/resolve.ts'
import type { Nats, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'
import type { Api } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'
import { checkConsumer } from './consumer.ts'
import { type Diagnosis, type Subject, scalesOnNats } from './diagnosis.ts'
import { type Endpoint, type MonitoringServer, otherServersOf, type Reached, reach, showEndpoint, urlOf } from './endpoint.ts'
import { suggest } from './suggestion.ts'

interface NatsClaim {
  readonly claim: ResolvedClaim
  readonly nats: Nats
}

export const natsDiagnosis: Diagnosis = {
  name: 'NATS',
  isNeeded: ({ claims }) => claims.length === 0 || claims.some(scalesOnNats),
  whyUnneeded: () => 'no given claim scales on NATS',
  check: checkNats,
}

/** A row for each server, followed by rows for each claim that uses it. */
async function checkNats(api: Api, { claims, platform }: Subject): Promise<Check[]> {
  const natsClaims = claims.filter(scalesOnNats).flatMap((claim): NatsClaim[] => (claim.nats ? [{ claim, nats: claim.nats }] : []))
  const byDefault = resolveDefaults(platform).nats
  const servers = natsClaims.length > 0 ? natsClaims.map(({ nats }) => nats) : byDefault ? [byDefault] : []
  const endpoints = new Map(servers.map(endpointOf).map(endpoint => [urlOf(endpoint), endpoint]))
  const rows = await Promise.all(
    [...endpoints].map(([url, endpoint]) =>
      checkServer(
        api,
        endpoint,
        natsClaims.filter(({ nats }) => urlOf(endpointOf(nats)) === url),
      ),
    ),
  )
  return rows.flat()
}

const endpointOf = ({ monitoringEndpoint, useHttps }: Nats): Endpoint => ({ address: monitoringEndpoint, useHttps })

/** The platform's server that the claim names instead of an endpoint. */
const serverOf = ({ layers: [spec] }: ResolvedClaim) => (spec?.nats && 'server' in spec.nats ? spec.nats.server : undefined)

/** The fields from which the endpoint comes. */
function originOf(natsClaims: readonly NatsClaim[]): string {
  if (natsClaims.length === 0) return 'the default of every claim: docs/platform-defaults.md'
  const fields = natsClaims.map(({ claim }) => {
    const server = serverOf(claim)
    return server === undefined ? 'spec.nats.monitoringEndpoint' : `spec.nats.server: ${server}`
  })
  return [...new Set(fields)].join(', ')
}

async function checkServer(api: Api, monitoring: Endpoint, natsClaims: readonly NatsClaim[]): Promise<Check[]> {
  const name = 'NATS'
  const endpoint = showEndpoint(monitoring)
  const origin = originOf(natsClaims)
  const reached = await reach(api, monitoring)
  const unknownStreams = () => natsClaims.map(({ claim }) => unknown(streamRow(claim), `unknown because ${endpoint} could not be reached`))
  if ('problem' in reached) {
    const [only, second] = natsClaims
    const fix =
      reached.suggestion !== undefined && only !== undefined && second === undefined && serverOf(only.claim) === undefined
        ? edit(only.claim, { monitoringEndpoint: reached.suggestion })
        : reached.inspect
    return [wrong(name, `${endpoint} can't be reached: ${reached.problem} (${origin})`, fix), ...unknownStreams()]
  }
  if ('uncertain' in reached)
    return [unknown(name, `${reached.uncertain}. KEDA may still reach it`, queryInside(monitoring)), ...unknownStreams()]
  const { server } = reached
  const jsz = await server.get('/jsz')
  if (!jsz.ok)
    return [
      wrong(name, `${endpoint} is not a NATS monitoring port (reached ${server.by}): ${jsz.reason}`, queryInside(monitoring)),
      ...unknownStreams(),
    ]
  if (at(jsz.body, 'disabled') === true)
    return [wrong(name, `${endpoint} has JetStream disabled (reached ${server.by})`, ENABLE), ...unknownStreams()]
  const health = await server.get('/healthz?js-enabled-only=true')
  const row = health.ok
    ? well(name, `${endpoint} has JetStream enabled (reached ${server.by})`)
    : wrong(name, `${endpoint} is not healthy (reached ${server.by}): ${health.reason}`, queryInside(monitoring))
  const servers = await serversOf(api, monitoring, reached, jsz.body)
  return [row, ...(await Promise.all(natsClaims.map(one => checkStream(servers, one)))).flat()]
}

const ENABLE =
  'helm upgrade --install nats nats --repo https://nats-io.github.io/k8s/helm/charts --namespace nats --reuse-values --set config.jetstream.enabled=true'
const queryInside = (endpoint: Endpoint) =>
  shell`kubectl run nats-monitor --rm -i --restart=Never --image=busybox -- wget -qO- ${`${urlOf(endpoint)}/healthz?js-enabled-only=true`}`

async function serversOf(
  api: Api,
  endpoint: Endpoint,
  reached: Extract<Reached, { server: MonitoringServer }>,
  jsz: Json,
): Promise<MonitoringServer[]> {
  const size = at(jsz, 'meta_cluster', 'cluster_size')
  return typeof size === 'number' && size > 1 ? [reached.server, ...(await otherServersOf(api, endpoint, reached))] : [reached.server]
}

export const streamRow = ({ namespace, name }: ResolvedClaim) => `Stream of ${namespace}/${name}`
const nameOf = (value: Json) => textOf(at(value, 'name'))
const namesIn = (values: readonly Json[]) => [...new Set(values.map(nameOf))].join(', ') || 'none'

async function checkStream(servers: readonly MonitoringServer[], { claim, nats }: NatsClaim): Promise<Check[]> {
  const { stream, consumer } = nats
  const account = accountNameOf(nats)
  const name = streamRow(claim)
  const accounts = await accountsOf(servers, consumersQuery(account))
  if (accounts === undefined) return [unknown(name, 'not every NATS server reports its streams')]
  const streams = streamsOf(accounts, nats)
  const found = streams.filter(one => nameOf(one) === stream)
  if (found.length === 0) {
    const other = await accountOf(servers, stream)
    if (other !== undefined && other !== account)
      return [wrong(name, `stream '${stream}' is in account '${other}', not in account '${account}'`, edit(claim, { account: other }))]
    const add = shell`nats stream add -- ${stream}`
    const near = suggest(stream, streams.map(nameOf))
    const message = `account '${account}' has no stream '${stream}'${near.question}; its streams: ${namesIn(streams)}${near.otherwise(add)}`
    return [wrong(name, message, near.name === undefined ? add : edit(claim, { stream: near.name }))]
  }
  const consumers = found.flatMap(one => items(at(one, 'consumer_detail')))
  const detail = consumers.find(one => nameOf(one) === consumer)
  if (detail !== undefined)
    return [
      well(name, `account '${account}' has stream '${stream}' with consumer '${consumer}'`),
      checkConsumer(claim, nats, await detailOfLeader(servers, nats, detail)),
    ]
  const add = shell`nats consumer add --pull --defaults -- ${stream} ${consumer}`
  const near = suggest(consumer, consumers.map(nameOf))
  const message = `stream '${stream}' of account '${account}' has no consumer '${consumer}'${near.question}; its consumers: ${namesIn(consumers)}${near.otherwise(add)}`
  return [wrong(name, message, near.name === undefined ? add : edit(claim, { consumer: near.name }))]
}

/** Like KEDA: https://keda.sh/docs/latest/scalers/nats-jetstream-stream/ */
const accountNameOf = ({ accountID, account }: Nats) => accountID ?? account
const consumersQuery = (account: string) => `acc=${encodeURIComponent(account)}&consumers=true&config=true`

const streamsOf = (accounts: readonly Json[], nats: Nats): Json[] =>
  accounts
    .filter(one => at(one, 'id') === accountNameOf(nats) || at(one, 'name') === nats.account)
    .flatMap(account => items(at(account, 'stream_detail')))

/** The consumer as its leader reports it, because the other servers do not count the messages that wait. */
async function detailOfLeader(servers: readonly MonitoringServer[], nats: Nats, detail: Json): Promise<Json> {
  const leader = at(detail, 'cluster', 'leader')
  // The first server may be any of the others.
  const [, ...others] = servers
  if (leader === undefined || others.length === 0) return detail
  const names = await Promise.all(others.map(async ({ get }) => get('/varz')))
  const server = others.find((_, index) => names[index]?.ok && at(names[index].body, 'server_name') === leader)
  const accounts = server && (await accountsOf([server], consumersQuery(accountNameOf(nats))))
  const own = streamsOf(accounts ?? [], nats).find(one => nameOf(one) === nats.stream)
  return items(at(own, 'consumer_detail')).find(one => nameOf(one) === nats.consumer) ?? detail
}

/** The first account that has a stream of this name. */
async function accountOf(servers: readonly MonitoringServer[], stream: string): Promise<string | undefined> {
  const accounts = (await accountsOf(servers, 'accounts=true&streams=true')) ?? []
  const found = accounts.find(one => items(at(one, 'stream_detail')).some(one => nameOf(one) === stream))
  return found === undefined ? undefined : nameOf(found)
}

/** The accounts of all servers; undefined if a server does not answer. */
async function accountsOf(servers: readonly MonitoringServer[], query: string): Promise<Json[] | undefined> {
  const answers = await Promise.all(servers.map(({ get }) => get(`/jsz?${query}`)))
  return answers.every(answer => answer.ok) ? answers.flatMap(({ body }) => items(at(body, 'account_details'))) : undefined
}

const edit = ({ namespace, name }: ResolvedClaim, nats: JsonObject) =>
  shell`kubectl -n ${namespace} patch eventdrivenservice ${name} --type merge -p ${JSON.stringify({ spec: { nats } })}`
