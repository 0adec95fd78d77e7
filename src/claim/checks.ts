// Checks for every runtime that neither schema nor CEL can express within the API server's limits.
import { type Finding, formatPath, type Path } from './findings.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import { wrongPorts } from './ports.ts'

export type Spec = Partial<EventDrivenServiceSpec>

/** Checks the fields that schema and rules have accepted. */
export const checkClaim = (spec: Spec): Finding[] => [...duplicateVariables(spec), ...ports(spec)]

/** Two variables of the same name, from env or from secrets. The schema checks duplicates within env. */
function duplicateVariables(spec: Spec): Finding[] {
  const paths = new Map<string, Path>()
  const findings: Finding[] = []
  ;(spec.env ?? []).forEach(({ name }, index) => {
    if (!paths.has(name)) paths.set(name, ['spec', 'env', index, 'name'])
  })
  ;(spec.secretRefs ?? []).forEach(({ env }, secret) => {
    ;(env ?? []).forEach(({ envName }, index) => {
      const path = ['spec', 'secretRefs', secret, 'env', index, 'envName']
      const first = paths.get(envName)
      if (first === undefined) paths.set(envName, path)
      else findings.push({ code: 'DUPLICATE', path, problem: `must not be the same as ${formatPath(first)}`, found: envName })
    })
  })
  return findings
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
