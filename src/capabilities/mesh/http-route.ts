// https://gateway-api.sigs.k8s.io/api-types/httproute/
import type { Cors, Mesh } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { SERVICE_PORT } from '../address.ts'
import type { ComposedResource, FindObserved, KindInfo } from '../capability.ts'
import { freeze } from '../freeze.ts'
import { scalar } from '../summary.ts'
import { type CanaryStage, canaryName, HTTP_ROUTE } from '../workload/canary.ts'
import { metadata } from '../workload/labels.ts'
import { routeReadiness } from './gateway-api.ts'
import { duration, GATEWAY_API } from './kinds.ts'
import { LISTENER_SET, section } from './listener-set.ts'
import { routesOf } from './routes.ts'

const KIND = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' } as const

export const httpRouteKind: KindInfo = {
  ...KIND,
  plural: 'httproutes',
  product: GATEWAY_API,
  summarize: ({ spec }) => {
    const backends = items(at(items(at(spec, 'rules')).at(-1) ?? {}, 'backendRefs'))
    const shares = backends.map(backend => `${scalar(at(backend, 'name'))} ${scalar(at(backend, 'weight'))}%`).join(' / ')
    return [...items(at(spec, 'hostnames')).map(scalar), shares === '' ? 'to https' : shares]
  },
}

type Section = keyof typeof section

const parents = (mesh: Mesh, name: string, of: Section) =>
  mesh.hosts.map(host => ({ group: 'gateway.networking.k8s.io', kind: LISTENER_SET.kind, name, sectionName: section[of](host) }))

/** The routes of the gateway. Standard HTTPRoutes have no retries. */
export const httpRoute = (mesh: Mesh, stage: CanaryStage, service: string, findObserved: FindObserved): ComposedResource => ({
  ...HTTP_ROUTE,
  build: claim => {
    const observed = findObserved(HTTP_ROUTE)
    if (stage.is === 'leaving' && stage.holds && observed !== undefined) return freeze(observed)
    const { match, shares } = routesOf(stage, service, canaryName(claim))
    const settings: JsonObject = {
      timeouts: { request: duration(mesh.timeout) },
      ...(mesh.cors && { filters: [{ type: 'CORS', cors: corsOf(mesh.cors) }] }),
    }
    const backend = (name: string, weight: number) => ({ group: '', kind: 'Service', name, port: SERVICE_PORT, weight })
    return {
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: metadata(claim, claim.name),
      spec: {
        parentRefs: parents(mesh, claim.name, 'https'),
        hostnames: mesh.hosts,
        rules: [
          ...(match.length === 0
            ? []
            : [
                {
                  matches: match.map(({ header, value }) => ({ headers: [{ type: 'Exact', name: header, value }] })),
                  ...settings,
                  backendRefs: [backend(canaryName(claim), 100)],
                },
              ]),
          { ...settings, backendRefs: shares.map(share => backend(share.service, share.weight)) },
        ],
      },
    }
  },
  ready: routeReadiness,
  target: object => textOf(at(items(at(object, 'spec', 'rules')).at(-1) ?? {}, 'backendRefs', 0, 'name')),
})

export const redirectRoute = (mesh: Mesh): ComposedResource => ({
  key: 'mesh-http-redirect',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, `${claim.name}-https`),
    spec: {
      parentRefs: parents(mesh, claim.name, 'http'),
      hostnames: mesh.hosts,
      rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } }] }],
    },
  }),
  ready: routeReadiness,
})

const corsOf = ({ origins, methods, headers, credentials, maxAge }: Cors): JsonObject => ({
  allowOrigins: origins,
  allowMethods: methods,
  ...(headers.length > 0 && { allowHeaders: headers }),
  ...(credentials && { allowCredentials: true }),
  maxAge,
})
