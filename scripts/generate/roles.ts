// Writes package/runtime/rbac: the permissions that Crossplane needs for each capability.
import type { KindInfo } from '../../src/capabilities/capability.ts'
import { type RoleRules, rolesOf } from '../../src/capabilities/index.ts'
import { groupOf } from '../../src/kubernetes/objects.ts'

/** One file for each role, so a platform without Knative grants no permissions for it. */
export const roleFiles = (roles: readonly RoleRules[] = rolesOf()): Record<string, { comment: string; role: object }> =>
  Object.fromEntries(
    roles.map(({ name, purpose, kinds }) => [`package/runtime/rbac/${name}.yaml`, { comment: purpose, role: clusterRole(name, kinds) }]),
  )

function clusterRole(name: string, kinds: readonly KindInfo[]): object {
  const groups = [...new Set(kinds.map(({ apiVersion }) => groupOf(apiVersion)))].sort()
  const plurals = (group: string) =>
    kinds
      .filter(({ apiVersion }) => groupOf(apiVersion) === group)
      .map(({ plural }) => plural)
      .sort()
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: `event-driven-service:${name}`,
      // Crossplane's role aggregates the rules of every role with this label.
      labels: { 'rbac.crossplane.io/aggregate-to-crossplane': 'true' },
    },
    rules: groups.flatMap(group => [
      { apiGroups: [group], resources: plurals(group), verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] },
      // Readiness comes from the status.
      ...(group.includes('.') ? [{ apiGroups: [group], resources: plurals(group).map(plural => `${plural}/status`), verbs: ['get'] }] : []),
    ]),
  }
}
