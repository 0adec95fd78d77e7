// Checks for every runtime that neither schema nor CEL can express within the API server's limits.
import { type Finding, formatPath, type Path } from './findings.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import { wrongPorts } from './ports.ts'

export type Spec = Partial<EventDrivenServiceSpec>

/** Checks the fields that schema and rules have accepted. */
export const checkClaim = (spec: Spec): Finding[] => [...duplicateVariables(spec), ...ports(spec), ...readOnlyTmp(spec)]

/** The variables that the claim names, each with the path of its name. */
export const namedVariables = ({ env = [], configRefs = [], secretRefs = [] }: Spec): { readonly name: string; readonly path: Path }[] => [
  ...env.map(({ name }, index) => ({ name, path: ['spec', 'env', index, 'name'] })),
  ...referredVariables('configRefs', configRefs),
  ...referredVariables('secretRefs', secretRefs),
]

const referredVariables = (
  field: string,
  refs: readonly { readonly env?: readonly { readonly name?: string; readonly envName?: string }[] }[],
) =>
  refs.flatMap(({ env = [] }, ref) =>
    env.map(({ name, envName = '' }, index) => ({
      name: name ?? envName,
      path: ['spec', field, ref, 'env', index, name === undefined ? 'envName' : 'name'],
    })),
  )

/** Two variables of the same name. The schema checks duplicates within env. */
function duplicateVariables(spec: Spec): Finding[] {
  const paths = new Map<string, Path>()
  return namedVariables(spec).flatMap(({ name, path }): Finding[] => {
    const first = paths.get(name)
    if (first === undefined) paths.set(name, path)
    else if (path[1] !== 'env') return [{ code: 'DUPLICATE', path, problem: `must not be the same as ${formatPath(first)}`, found: name }]
    return []
  })
}

/** Most programs write to /tmp, and a secret or a ConfigMap is read-only. */
function readOnlyTmp({ rootFilesystem, files = [] }: Spec): Finding[] {
  const index = files.findIndex(({ mountPath, scratch }) => mountPath === '/tmp' && scratch === undefined)
  if (rootFilesystem !== 'ReadOnly' || index < 0) return []
  const problem = 'must be scratch space with spec.rootFilesystem ReadOnly, because programs write to /tmp'
  return [{ code: 'CONFLICT', path: ['spec', 'files', index], problem }]
}

const ports = ({ image = '', nats }: Spec): Finding[] =>
  wrongPorts([
    { path: ['spec', 'image'], text: /^[^/]*(?=\/)/.exec(image)?.[0] },
    ...(nats?.url?.split(',') ?? []).map(text => ({ path: ['spec', 'nats', 'url'], text })),
    { path: ['spec', 'nats', 'monitoringEndpoint'], text: nats?.monitoringEndpoint },
  ])

const LONGEST_LABEL = 63

/** A name derived from the claim's name must fit into a label too. */
export function longName(derived: string, path: Path, what: string): Finding[] {
  const excess = derived.length - LONGEST_LABEL
  if (excess <= 0) return []
  const problem = `must be shorter by ${excess}: the ${what} '${derived}' may have at most ${LONGEST_LABEL} characters`
  return [{ code: 'NAME', path, problem }]
}
