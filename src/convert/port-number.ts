import { at, items, type Json } from '../kubernetes/json.ts'

/** The number of a port that may be given by name. */
export function portNumber(port: Json | undefined, container: Json | undefined): Json | undefined {
  const named = items(at(container, 'ports')).find(each => at(each, 'name') === port)
  return named === undefined ? port : at(named, 'containerPort')
}
