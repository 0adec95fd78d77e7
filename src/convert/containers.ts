import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject } from '../kubernetes/json.ts'
import { plainVariables, refsOf } from './env.ts'
import { definedFields, nonEmpty, unlessDefault } from './fields.ts'
import { filesOf } from './files.ts'
import { probeFields } from './probes.ts'

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

/** The fields of the claim that every runtime takes from the pod. What the platform does by default is left out. */
export function podFields(workload: JsonObject, defaults: ResolvedClaim, httpPort: Json | undefined): JsonObject {
  const pod = at(workload, 'spec', 'template', 'spec')
  const main = at(pod, 'containers', mainOf(workload))
  const init = at(pod, 'initContainers', initOf(workload))
  const [env, envFrom] = [items(at(main, 'env')), items(at(main, 'envFrom'))]
  const isReadOnly = at(main, 'securityContext', 'readOnlyRootFilesystem') === true
  return definedFields({
    command: nonEmpty(items(at(main, 'command'))),
    args: at(main, 'args'),
    env: nonEmpty(plainVariables(env, defaults)),
    configRefs: nonEmpty(refsOf('configRefs', env, envFrom)),
    secretRefs: nonEmpty(refsOf('secretRefs', env, envFrom)),
    files: nonEmpty(filesOf(pod, main, defaults)),
    rootFilesystem: unlessDefault(defaults.rootFilesystem, isReadOnly ? 'ReadOnly' : 'Writable'),
    imagePullSecrets: pullSecretsOf(pod, defaults),
    initContainer: init === undefined ? undefined : definedFields({ command: at(init, 'command'), args: at(init, 'args') }),
    httpPort,
    ...probeFields(main, defaults, httpPort ?? defaults.port),
  })
}

function pullSecretsOf(pod: Json | undefined, { imagePullSecrets }: ResolvedClaim): JsonObject[] | undefined {
  const names = items(at(pod, 'imagePullSecrets')).map(secret => at(secret, 'name') ?? '')
  return JSON.stringify(names) === JSON.stringify(imagePullSecrets) ? undefined : names.map(name => ({ name }))
}
