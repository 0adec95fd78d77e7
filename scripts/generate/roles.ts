// package/runtime/rbac: what Crossplane has to be allowed, read off what the examples become, so that the two can't part.
import { parseClaim } from '../../src/claim/parse.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { findingsMessage } from '../../src/reconcile/conditions.ts'
import type { Example } from './examples.ts'

interface Kind {
  readonly group: string
  readonly plural: string
}

const roles = {
  deployment: 'runtime Deployment: what Kubernetes itself has, and the ScaledObject of KEDA.',
  knative: 'runtime Knative.',
  eventing: 'spec.eventing: the Broker, the Triggers and the KafkaSource of Knative Eventing.',
} as const

function roleOf(group: string): keyof typeof roles {
  switch (group) {
    case 'serving.knative.dev':
      return 'knative'
    case 'eventing.knative.dev':
    case 'sources.knative.dev':
      return 'eventing'
    default:
      return 'deployment'
  }
}

/** Every kind that some example becomes. */
export function composedKinds(examples: readonly Example[]): Kind[] {
  const found = new Map<string, Kind>()
  for (const { file, claim } of examples) {
    const parsed = parseClaim(claim, builtInPlatform)
    if (!parsed.ok) throw new Error(`${file} is not valid: ${findingsMessage(parsed.findings)}`)
    for (const { manifest } of compose(parsed.claim, builtInPlatform, {}).resources) {
      const group = manifest.apiVersion.includes('/') ? (manifest.apiVersion.split('/')[0] ?? '') : ''
      const plural = `${manifest.kind.toLowerCase()}s`
      found.set(`${group}/${plural}`, { group, plural })
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind)
}

/** One file for each feature, so that a platform without Knative allows nothing of Knative. */
export function roleFiles(kinds: readonly Kind[]): Record<string, { comment: string; role: object }> {
  const wanted = Object.entries(roles).map(([name, comment]) => ({
    name,
    comment,
    kinds: kinds.filter(({ group }) => roleOf(group) === name),
  }))
  return Object.fromEntries(
    wanted
      .filter(role => role.kinds.length > 0)
      .map(({ name, comment, kinds: own }) => [`package/runtime/rbac/${name}.yaml`, { comment, role: clusterRole(name, own) }]),
  )
}

function clusterRole(name: string, kinds: readonly Kind[]): object {
  const groups = [...new Set(kinds.map(({ group }) => group))]
  const plurals = (of: string) => kinds.filter(({ group }) => group === of).map(({ plural }) => plural)
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: `event-driven-service:${name}`,
      // Crossplane's own role takes up the rules of every role with this label.
      labels: { 'rbac.crossplane.io/aggregate-to-crossplane': 'true' },
    },
    rules: groups.flatMap(group => [
      { apiGroups: [group], resources: plurals(group), verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] },
      // Readiness is read off the status.
      ...(group.includes('.') ? [{ apiGroups: [group], resources: plurals(group).map(plural => `${plural}/status`), verbs: ['get'] }] : []),
    ]),
  }
}
