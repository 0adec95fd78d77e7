// What neither schema nor CEL can say within the API server's limits.

import type { Platform } from '../platform/platform.ts'
import { checkFilters } from './filters.ts'
import { type Finding, formatPath, type Path } from './findings.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'

const LONGEST_LABEL = 63

type Spec = Partial<EventDrivenServiceSpec>

/** Checks the fields that schema and rules have accepted. */
export function checkSpec(spec: Spec, name: string, platform: Platform): Finding[] {
  return [
    ...duplicateVariables(spec),
    ...reservedVariables(spec),
    ...longNames(spec, name),
    ...ports(spec),
    ...filters(spec),
    ...unsupported(spec, platform),
  ]
}

const filters = ({ eventing }: Spec): Finding[] =>
  (eventing?.triggers ?? []).flatMap((trigger, index) =>
    checkFilters(trigger.filters ?? [], ['spec', 'eventing', 'triggers', index, 'filters']),
  )

const knativeVariables = ['K_SERVICE', 'K_CONFIGURATION', 'K_REVISION']

/** The rule about env, for variables out of secrets: two lists in one another cost CEL too much. */
function reservedVariables({ runtime, secretRefs = [] }: Spec): Finding[] {
  if (runtime !== 'Knative') return []
  const problem = `with runtime Knative must be none of [${knativeVariables.join(', ')}], which Knative sets itself`
  return secretRefs.flatMap(({ env = [] }, secret) =>
    env.flatMap(({ envName }, index): Finding[] =>
      knativeVariables.includes(envName)
        ? [{ code: 'RESERVED', path: ['spec', 'secretRefs', secret, 'env', index, 'envName'], problem, found: envName }]
        : [],
    ),
  )
}

/** What Knative takes only where the cluster is configured so. */
function unsupported({ runtime, initContainer, knative }: Spec, { features }: Platform): Finding[] {
  if (runtime !== 'Knative') return []
  const findings: Finding[] = []
  if (initContainer !== undefined && !features.knativeInitContainers) {
    const problem =
      'does not go with runtime Knative here: the platform has to enable the Knative feature flag kubernetes.podspec-init-containers and say so with features.knativeInitContainers in the input of the function'
    findings.push({ code: 'UNSUPPORTED', path: ['spec', 'initContainer'], problem })
  }
  if (knative?.autoscaling?.initialScale === 0 && !features.knativeInitialScaleZero) {
    const problem =
      "must be at least 1 here: for 0 the platform has to set allow-zero-initial-scale in Knative's config-autoscaler and say so with features.knativeInitialScaleZero in the input of the function"
    findings.push({ code: 'UNSUPPORTED', path: ['spec', 'knative', 'autoscaling', 'initialScale'], problem, found: 0 })
  }
  return findings
}

/** Of two variables of one name only one could win, wherever they come from. Within env the schema itself sees to it. */
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

function longNames({ knative, eventing }: Spec, name: string): Finding[] {
  const findings: Finding[] = []
  const checkLength = (derived: string, path: Path, what: string) => {
    if (derived.length > LONGEST_LABEL)
      findings.push({
        code: 'NAME',
        path,
        problem: `must be shorter by ${derived.length - LONGEST_LABEL}: the ${what} '${derived}' may have at most ${LONGEST_LABEL} characters`,
      })
  }
  ;(knative?.traffic ?? []).forEach(({ tag }, index) => {
    if (tag !== undefined) checkLength(`${tag}-${name}`, ['spec', 'knative', 'traffic', index, 'tag'], 'route')
  })
  ;(eventing?.triggers ?? []).forEach((trigger, index) => {
    checkLength(`${name}-${trigger.name}`, ['spec', 'eventing', 'triggers', index, 'name'], 'Trigger')
  })
  return findings
}

const HIGHEST_PORT = 65_535
/** Of a host with a port, also within a URL. */
const PORT = /^(?:[a-z]+:\/\/)?(?:\[[^\]]*\]|[^/:]*):(\d+)/

/** A pattern knows digits, not numbers. */
function ports({ image = '', nats, eventing }: Spec): Finding[] {
  const { broker, triggers = [], kafka } = eventing ?? {}
  const letters = (delivery: { readonly deadLetter?: { readonly uri?: string } } | undefined, ...path: Path) => ({
    path: ['spec', 'eventing', ...path, 'delivery', 'deadLetter', 'uri'],
    text: delivery?.deadLetter?.uri,
  })
  const addresses: readonly { readonly path: Path; readonly text: string | undefined }[] = [
    { path: ['spec', 'image'], text: /^[^/]*(?=\/)/.exec(image)?.[0] },
    ...(nats?.url?.split(',') ?? []).map(text => ({ path: ['spec', 'nats', 'url'], text })),
    { path: ['spec', 'nats', 'monitoringEndpoint'], text: nats?.monitoringEndpoint },
    letters(broker?.delivery, 'broker'),
    ...triggers.map(({ delivery }, index) => letters(delivery, 'triggers', index)),
    ...(kafka?.bootstrapServers ?? []).map((text, index) => ({ path: ['spec', 'eventing', 'kafka', 'bootstrapServers', index], text })),
    letters(kafka?.delivery, 'kafka'),
  ]
  const isWrong = (address: string) => {
    const port = PORT.exec(address)?.[1]
    return port !== undefined && (Number(port) < 1 || Number(port) > HIGHEST_PORT)
  }
  return addresses.flatMap(({ path, text = '' }): Finding[] =>
    isWrong(text) ? [{ code: 'OUT_OF_RANGE', path, problem: `must have a port from 1 to ${HIGHEST_PORT}`, found: text }] : [],
  )
}
