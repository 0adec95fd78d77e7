// Checks of Knative Serving that neither schema nor CEL can express within the API server's limits.
import { longName, namedVariables, type Spec } from '../../claim/checks.ts'
import type { Finding } from '../../claim/findings.ts'
import type { Platform } from '../../platform/platform.ts'

export const checkKnativeServing = (spec: Spec, name: string, platform: Platform): Finding[] => [
  ...reservedVariables(spec),
  ...longTags(spec, name),
  ...unsupported(spec, platform),
]

const knativeVariables = ['K_SERVICE', 'K_CONFIGURATION', 'K_REVISION']

/** The same as the rule for env. As a CEL rule, two nested lists would exceed the cost budget. */
function reservedVariables(spec: Spec): Finding[] {
  if (spec.runtime !== 'Knative') return []
  const problem = `with runtime Knative must be none of [${knativeVariables.join(', ')}], which Knative sets itself`
  return namedVariables(spec).flatMap(({ name, path }): Finding[] =>
    path[1] !== 'env' && knativeVariables.includes(name) ? [{ code: 'RESERVED', path, problem, found: name }] : [],
  )
}

const longTags = ({ knative }: Spec, name: string): Finding[] =>
  (knative?.traffic ?? []).flatMap(({ tag }, index) =>
    tag === undefined ? [] : longName(`${tag}-${name}`, ['spec', 'knative', 'traffic', index, 'tag'], 'route'),
  )

/** What Knative accepts only if the cluster enables it. */
function unsupported({ runtime, initContainer, files = [], rootFilesystem, knative }: Spec, { features }: Platform): Finding[] {
  if (runtime !== 'Knative') return []
  const findings: Finding[] = []
  if (initContainer !== undefined && !features.knativeInitContainers) {
    const problem =
      "is not supported with runtime Knative here: ask the platform team to enable the Knative feature flag kubernetes.podspec-init-containers and set features.knativeInitContainers in the function's input"
    findings.push({ code: 'UNSUPPORTED', path: ['spec', 'initContainer'], problem })
  }
  if (!features.knativeEmptyDir) {
    const problem =
      "is not supported with runtime Knative here: ask the platform team to enable the Knative feature flag kubernetes.podspec-volumes-emptydir and set features.knativeEmptyDir in the function's input"
    files.forEach(({ scratch }, index) => {
      if (scratch !== undefined) findings.push({ code: 'UNSUPPORTED', path: ['spec', 'files', index, 'scratch'], problem })
    })
    if (rootFilesystem === 'ReadOnly')
      findings.push({ code: 'UNSUPPORTED', path: ['spec', 'rootFilesystem'], problem: `needs a writable /tmp, which ${problem}` })
  }
  if (knative?.autoscaling?.initialScale === 0 && !features.knativeInitialScaleZero) {
    const problem =
      "must be at least 1 here: for 0 ask the platform team to set allow-zero-initial-scale in Knative's config-autoscaler and features.knativeInitialScaleZero in the function's input"
    findings.push({ code: 'UNSUPPORTED', path: ['spec', 'knative', 'autoscaling', 'initialScale'], problem, found: 0 })
  }
  return findings
}
