import type { Cors, Mesh } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { SERVICE_PORT } from '../address.ts'
import type { ComposedResource, FindObserved, KindInfo } from '../capability.ts'
import { freeze } from '../freeze.ts'
import { scalar } from '../summary.ts'
import { type CanaryStage, canaryName, VIRTUAL_SERVICE } from '../workload/canary.ts'
import { metadata } from '../workload/labels.ts'
import { duration, hostOf, ISTIO, istioReadiness } from './kinds.ts'
import { routesOf } from './routes.ts'

const KIND = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' } as const

export const virtualServiceKind: KindInfo = {
  ...KIND,
  plural: 'virtualservices',
  product: ISTIO,
  summarize: ({ spec }) => [
    ...items(at(spec, 'hosts')).map(scalar),
    items(at(items(at(spec, 'http')).at(-1) ?? {}, 'route'))
      .map(route => `${textOf(at(route, 'destination', 'host')).split('.')[0]} ${scalar(at(route, 'weight'))}%`)
      .join(' / '),
  ],
}

/**
 * The routes of callers in the mesh and, with a gateway of style Istio, of the gateway:
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/
 */
export const virtualService = (
  mesh: Mesh,
  stage: CanaryStage,
  service: string,
  external: readonly string[],
  findObserved: FindObserved,
): ComposedResource => ({
  ...VIRTUAL_SERVICE,
  build: claim => {
    const { name, namespace } = claim
    const observed = findObserved(VIRTUAL_SERVICE)
    if (stage.is === 'leaving' && stage.holds && observed !== undefined) return freeze(observed)
    const { match, shares } = routesOf(stage, service, canaryName(claim))
    const to = (host: string) => ({ host: hostOf(host, namespace), port: { number: SERVICE_PORT } })
    // Istio takes retries, timeout and CORS of each route alone, and its own defaults without them.
    const settings = settingsOf(mesh)
    return {
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: metadata(claim, name),
      spec: {
        hosts: [...external, hostOf(service, namespace), ...(claim.httpPort === undefined ? [] : [hostOf(`${name}-http`, namespace)])],
        gateways: [...(external.length > 0 ? [`${namespace}/${name}`] : []), 'mesh'],
        http: [
          ...(match.length === 0
            ? []
            : [
                {
                  name: 'canary',
                  match: match.map(({ header, value }) => ({ headers: { [header.toLowerCase()]: { exact: value } } })),
                  route: [{ destination: to(canaryName(claim)), weight: 100 }],
                  ...settings,
                },
              ]),
          { name: 'default', route: shares.map(share => ({ destination: to(share.service), weight: share.weight })), ...settings },
        ],
      },
    }
  },
  ready: istioReadiness,
  target: object => textOf(at(items(at(object, 'spec', 'http')).at(-1) ?? {}, 'route', 0, 'destination', 'host')),
})

const settingsOf = ({ timeout, retries, cors }: Mesh): JsonObject => ({
  timeout: duration(timeout),
  retries: retries
    ? { attempts: retries.attempts, perTryTimeout: duration(retries.perTryTimeout), retryOn: retries.on.join(',') }
    : { attempts: 0 },
  ...(cors && { corsPolicy: corsPolicy(cors) }),
})

const corsPolicy = ({ origins, methods, headers, credentials, maxAge }: Cors): JsonObject => ({
  allowOrigins: origins.map(origin => (origin === '*' ? { regex: '.*' } : { exact: origin })),
  allowMethods: methods,
  ...(headers.length > 0 && { allowHeaders: headers }),
  ...(credentials && { allowCredentials: true }),
  maxAge: duration(maxAge),
})
