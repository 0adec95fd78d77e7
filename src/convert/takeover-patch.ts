// Server-side apply merges lists by name, so a container with another name would remain next to `main`, and fields keep their
// first owner. So this patch gives an object the shape of the claim and removes its field owners before the claim adopts it:
// docs/migration.md

import { at, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { isOtherKind, type Pair } from './compare.ts'
import { initOf, mainOf } from './containers.ts'
import { portNumber } from './port-number.ts'

export interface Operation {
  readonly op: 'test' | 'add' | 'replace'
  readonly path: string
  readonly value: Json
}

/** Crossplane removes an unnamed owner once it has applied its own fields. */
const FORGET_OWNERS: Operation = { op: 'add', path: '/metadata/managedFields', value: [{}] }

/** The JSON patch that prepares an object for adoption without losing a pod. */
export function takeoverPatch({ given, made }: Pair, deployment: JsonObject): Operation[] {
  if (given === undefined || made === undefined) return []
  return [...shape(given, made, deployment), FORGET_OWNERS]
}

function shape(given: JsonObject, made: JsonObject, deployment: JsonObject): Operation[] {
  switch (given.kind) {
    case 'Deployment':
      return shapeDeployment(given, made)
    case 'Service':
      return shapeService(given, made, deployment)
    // The API server rejects minAvailable next to maxUnavailable.
    case 'PodDisruptionBudget':
      return [{ op: 'replace', path: '/spec', value: made.spec ?? {} }]
    default:
      return []
  }
}

function shapeDeployment(given: JsonObject, made: JsonObject): Operation[] {
  const [main, init] = [mainOf(given), initOf(given)]
  const pod = ['spec', 'template', 'spec']
  const before = at(given, ...pod, 'containers', main)
  const after = at(made, ...pod, 'containers', 0)
  const operations = [
    ...shapeContainer(before, after, `/spec/template/spec/containers/${main}`),
    ...shapePort(before, after, `/spec/template/spec/containers/${main}`),
    ...(init < 0
      ? []
      : shapeContainer(
          at(given, ...pod, 'initContainers', init),
          at(made, ...pod, 'initContainers', 0),
          `/spec/template/spec/initContainers/${init}`,
        )),
    ...shapeVolumes(given, made),
  ]
  const name = { op: 'test', path: `/spec/template/spec/containers/${main}/name`, value: at(before, 'name') ?? '' } as const
  return operations.length === 0 ? [] : [name, ...operations]
}

function shapeContainer(before: Json | undefined, after: Json | undefined, path: string): Operation[] {
  const env = items(at(before, 'env')).flatMap((variable, index): Operation[] => {
    const wanted = items(at(after, 'env')).find(other => at(other, 'name') === at(variable, 'name'))
    const joins = wanted !== undefined && (at(wanted, 'valueFrom') === undefined) !== (at(variable, 'valueFrom') === undefined)
    return joins ? [{ op: 'replace', path: `${path}/env/${index}`, value: wanted }] : []
  })
  const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].flatMap((probe): Operation[] => {
    const [was, is] = [at(before, probe), at(after, probe)]
    if (was === undefined || is === undefined) return []
    return isOtherKind(was, is) ? [{ op: 'replace', path: `${path}/${probe}`, value: is }] : portAt(`${path}/${probe}`, was, before)
  })
  const [hook, own] = [at(before, 'lifecycle', 'preStop'), at(after, 'lifecycle', 'preStop')]
  const hooks =
    own !== undefined && isOtherKind(hook, own) ? [{ op: 'replace', path: `${path}/lifecycle/preStop`, value: own } as const] : []
  const name = at(after, 'name') ?? ''
  return [
    ...(at(before, 'name') === name ? [] : [{ op: 'replace', path: `${path}/name`, value: name } as const]),
    ...env,
    ...probes,
    ...hooks,
  ]
}

/** A probe refers to its port by number if the port's name is about to change. */
const portAt = (path: string, probe: Json, container: Json | undefined): Operation[] =>
  ['httpGet', 'tcpSocket'].flatMap((action): Operation[] => {
    const port = at(probe, action, 'port')
    if (typeof port !== 'string' || port === 'http') return []
    return [{ op: 'replace', path: `${path}/${action}/port`, value: portNumber(port, container) ?? null }]
  })

/** Volumes are merged by name and mounts by directory, so another name would leave the old volume next to the claim's. */
function shapeVolumes(given: JsonObject, made: JsonObject): Operation[] {
  const pod = ['spec', 'template', 'spec']
  const [before, after] = [items(at(given, ...pod, 'volumes')), items(at(made, ...pod, 'volumes'))]
  if (before.length === 0 || after.length === 0) return []
  const containers = (['containers', 'initContainers'] as const).flatMap(list =>
    items(at(given, ...pod, list)).map((container, index) => {
      const isClaims = index === (list === 'containers' ? mainOf(given) : initOf(given))
      const wanted = isClaims ? items(at(made, ...pod, list, 0, 'volumeMounts')) : []
      const mounts = items(at(container, 'volumeMounts'))
      const shaped = mounts.map(mount => wanted.find(other => at(other, 'mountPath') === at(mount, 'mountPath')) ?? mount)
      return { path: `/spec/template/spec/${list}/${index}/volumeMounts`, mounts, shaped }
    }),
  )
  const isMounted = (volume: Json) => containers.some(({ shaped }) => shaped.some(mount => at(mount, 'name') === at(volume, 'name')))
  const isClaims = (volume: Json) => after.some(other => at(other, 'name') === at(volume, 'name'))
  return [
    {
      op: 'replace',
      path: '/spec/template/spec/volumes',
      value: [...before.filter(volume => isMounted(volume) && !isClaims(volume)), ...after],
    },
    ...containers
      .filter(({ mounts, shaped }) => shaped.some((mount, index) => mount !== mounts[index]))
      .map(({ path, shaped }): Operation => ({ op: 'replace', path, value: shaped })),
  ]
}

/** The Service will target a port named `http`, so a pod without one would stop receiving requests. */
function shapePort(before: Json | undefined, after: Json | undefined, path: string): Operation[] {
  const wanted = at(after, 'ports', 0) ?? {}
  const ports = items(at(before, 'ports'))
  if (ports.length === 0) return [{ op: 'add', path: `${path}/ports`, value: [wanted] }]
  const index = ports.findIndex(port => at(port, 'containerPort') === at(wanted, 'containerPort'))
  if (index < 0) return [{ op: 'add', path: `${path}/ports/-`, value: wanted }]
  if (at(ports[index], 'name') === 'http') return []
  return [{ op: 'add', path: `${path}/ports/${index}/name`, value: 'http' }]
}

/** Each of several ports needs a name, and a port that remains keeps its target. */
function shapeService(given: JsonObject, made: JsonObject, deployment: JsonObject): Operation[] {
  const main = at(deployment, 'spec', 'template', 'spec', 'containers', mainOf(deployment))
  const wanted = at(made, 'spec', 'ports', 0, 'port')
  return items(at(given, 'spec', 'ports')).flatMap((port, index): Operation[] => {
    const [number, name, target] = [at(port, 'port'), at(port, 'name'), at(port, 'targetPort')]
    const path = `/spec/ports/${index}`
    const clashes = number !== wanted && (name === undefined || name === 'http')
    const leads = typeof target === 'string' && target !== 'http'
    return [
      ...(clashes ? [{ op: 'add', path: `${path}/name`, value: `port-${textOf(number)}` } as const] : []),
      ...(leads ? [{ op: 'replace', path: `${path}/targetPort`, value: portNumber(target, main) ?? target } as const] : []),
    ]
  })
}
