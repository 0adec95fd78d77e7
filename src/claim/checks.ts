// What neither schema nor CEL can say within the API server's limits.
import { type Finding, formatPath, type Path } from '../findings.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import type { Platform } from './platform.ts'

const LONGEST_LABEL = 63

/** Checks a spec that schema and rules have accepted. */
export function check(spec: EventDrivenServiceSpec, name: string, platform: Platform): Finding[] {
  return [...duplicateVariables(spec), ...longNames(spec, name), ...unsupported(spec, platform)]
}

/** Knative takes init containers only behind a feature flag of the cluster. */
function unsupported({ runtime, initContainer }: EventDrivenServiceSpec, { features }: Platform): Finding[] {
  if (runtime !== 'Knative' || initContainer === undefined || features.knativeInitContainers) return []
  const problem =
    'does not go with runtime Knative here: the platform has to enable the Knative feature flag kubernetes.podspec-init-containers and say so with features.knativeInitContainers in the input of the function'
  return [{ code: 'UNSUPPORTED', path: ['spec', 'initContainer'], problem }]
}

/** Of two variables of one name only one could win, wherever they come from. Within env the schema itself sees to it. */
function duplicateVariables(spec: EventDrivenServiceSpec): Finding[] {
  const places = new Map<string, Path>()
  const findings: Finding[] = []
  ;(spec.env ?? []).forEach(({ name }, index) => {
    if (!places.has(name)) places.set(name, ['spec', 'env', index, 'name'])
  })
  ;(spec.secretRefs ?? []).forEach(({ env }, secret) => {
    ;(env ?? []).forEach(({ envName }, index) => {
      const path = ['spec', 'secretRefs', secret, 'env', index, 'envName']
      const first = places.get(envName)
      if (first === undefined) places.set(envName, path)
      else findings.push({ code: 'DUPLICATE', path, problem: `must not be the same as ${formatPath(first)}`, found: envName })
    })
  })
  return findings
}

function longNames({ knative, eventing }: EventDrivenServiceSpec, name: string): Finding[] {
  const findings: Finding[] = []
  const hold = (derived: string, path: Path, what: string) => {
    if (derived.length > LONGEST_LABEL)
      findings.push({
        code: 'NAME',
        path,
        problem: `must be shorter by ${derived.length - LONGEST_LABEL}: the ${what} '${derived}' may have at most ${LONGEST_LABEL} characters`,
      })
  }
  ;(knative?.traffic ?? []).forEach(({ tag }, index) => {
    if (tag !== undefined) hold(`${tag}-${name}`, ['spec', 'knative', 'traffic', index, 'tag'], 'route')
  })
  ;(eventing?.triggers ?? []).forEach((trigger, index) => {
    hold(`${name}-${trigger.name}`, ['spec', 'eventing', 'triggers', index, 'name'], 'Trigger')
  })
  return findings
}
