import type { Probe, ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { plainVariables, secretRefs } from './env.ts'
import { definedFields, nonEmpty, unlessDefault } from './fields.ts'

/** The main container: the one named main, or like the workload, or the first. */
export function mainOf(deployment: JsonObject): number {
  const names = items(at(deployment, 'spec', 'template', 'spec', 'containers')).map(container => at(container, 'name'))
  return [names.indexOf('main'), names.indexOf(at(deployment, 'metadata', 'name') ?? null)].find(index => index >= 0) ?? 0
}

/** The init container that a claim can express: the same image with its own command. */
export function initOf(deployment: JsonObject): number {
  const pod = at(deployment, 'spec', 'template', 'spec')
  const image = at(pod, 'containers', mainOf(deployment), 'image')
  return items(at(pod, 'initContainers')).findIndex(
    init => at(init, 'image') === image && items(at(init, 'command')).length > 0 && at(init, 'restartPolicy') === undefined,
  )
}

/** The number of a port that may be given by name. */
export function portNumber(port: Json | undefined, container: Json | undefined): Json | undefined {
  const named = items(at(container, 'ports')).find(each => at(each, 'name') === port)
  return named === undefined ? port : at(named, 'containerPort')
}

/** The fields of the claim that every runtime takes from the pod. What the platform does by default is left out. */
export function podFields(workload: JsonObject, defaults: ResolvedClaim, httpPort: Json | undefined): JsonObject {
  const pod = at(workload, 'spec', 'template', 'spec')
  const main = at(pod, 'containers', mainOf(workload))
  const init = at(pod, 'initContainers', initOf(workload))
  const env = items(at(main, 'env'))
  return definedFields({
    env: nonEmpty(plainVariables(env, textOf(at(workload, 'metadata', 'name')))),
    secretRefs: nonEmpty(secretRefs(env, items(at(main, 'envFrom')))),
    imagePullSecrets: pullSecretsOf(pod, defaults),
    initContainer: init === undefined ? undefined : definedFields({ command: at(init, 'command'), args: at(init, 'args') }),
    httpPort,
    healthPath: unlessDefault(pathIn(defaults.probes.liveness), probePath(at(main, 'livenessProbe'))),
    readyPath: unlessDefault(pathIn(defaults.probes.readiness), probePath(at(main, 'readinessProbe'))),
  })
}

function pullSecretsOf(pod: Json | undefined, { imagePullSecrets }: ResolvedClaim): JsonObject[] | undefined {
  const names = items(at(pod, 'imagePullSecrets')).map(secret => at(secret, 'name') ?? '')
  return JSON.stringify(names) === JSON.stringify(imagePullSecrets) ? undefined : names.map(name => ({ name }))
}

const pathIn = (probe: Probe | undefined) => (probe && 'path' in probe.handler ? probe.handler.path : '')

/** The path of an HTTP probe. Kubernetes asks for the root if the probe has none. */
const probePath = (probe: Json | undefined): Json | undefined => {
  const request = at(probe, 'httpGet')
  return request === undefined ? undefined : (at(request, 'path') ?? '/')
}
