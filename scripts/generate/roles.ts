// Writes package/runtime/rbac: the permissions that Crossplane needs for each capability.
import type { KindInfo } from '../../src/capabilities/capability.ts'
import { type RoleRules, readingRoles, rolesOf } from '../../src/capabilities/index.ts'
import { groupOf } from '../../src/kubernetes/objects.ts'

interface RoleFile {
  readonly comment: string
  readonly role: object
}

/** One file for each role, so a platform without Knative grants no permissions for it. */
export const roleFiles = (
  roles: readonly RoleRules[] = rolesOf(),
  reading: readonly RoleRules[] = readingRoles,
): Readonly<Record<string, RoleFile>> =>
  Object.fromEntries([...roles.map(rules => roleFile(rules, 'composes', MANAGE)), ...reading.map(rules => roleFile(rules, 'reads', READ))])

const READ: readonly string[] = ['get', 'list', 'watch']
const MANAGE: readonly string[] = [...READ, 'create', 'update', 'patch', 'delete']

const roleFile = ({ name, purpose, kinds }: RoleRules, does: string, verbs: readonly string[]): [string, RoleFile] => [
  `package/runtime/rbac/${name}.yaml`,
  { comment: `What Crossplane ${does} for ${purpose}`, role: clusterRole(name, kinds, verbs) },
]

function clusterRole(name: string, kinds: readonly KindInfo[], verbs: readonly string[]): object {
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
      { apiGroups: [group], resources: plurals(group), verbs },
      // Readiness comes from the status.
      ...(group.includes('.') ? [{ apiGroups: [group], resources: plurals(group).map(plural => `${plural}/status`), verbs: ['get'] }] : []),
    ]),
  }
}
