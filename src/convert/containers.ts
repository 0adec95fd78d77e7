import { at, items, type Json, type JsonObject } from '../kubernetes/json.ts'

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
