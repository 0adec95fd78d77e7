// Checks whether an account may create the resources of a claim. The API server decides, so roles from any source count.
import type { Capability, KindInfo } from '../../capabilities/capability.ts'
import type { RoleRules } from '../../capabilities/index.ts'
import { at } from '../../kubernetes/json.ts'
import { groupOf } from '../../kubernetes/objects.ts'
import type { Api } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'
import type { Account } from './crossplane.ts'

export const readingVerbs = ['get', 'list', 'watch'] as const
export const verbs = [...readingVerbs, 'create', 'update', 'patch', 'delete'] as const

export interface Actor extends Account {
  /** The command that grants a role, from the role's file in package/runtime/rbac. */
  readonly grant: (role: string) => string
}

/** A row for each kind. */
export const checkAccess = (api: Api, actor: Actor, capabilities: readonly Capability[]): Promise<Check[]> =>
  Promise.all(
    // Capabilities may share a kind.
    [...new Map(capabilities.flatMap(({ role, kinds }) => kinds.map(kind => [kind, role.name] as const)))].map(([kind, role]) =>
      checkKind(api, actor, { role, kind, verbs }),
    ),
  )

/** A row for each kind that is only read. */
export const checkReading = (api: Api, actor: Actor, roles: readonly RoleRules[]): Promise<Check[]> =>
  Promise.all(roles.flatMap(({ name, kinds }) => kinds.map(kind => checkKind(api, actor, { role: name, kind, verbs: readingVerbs }))))

interface Needed {
  readonly role: string
  readonly kind: KindInfo
  readonly verbs: readonly string[]
}

async function checkKind(api: Api, actor: Actor, { role, kind: { apiVersion, plural: resource }, verbs }: Needed): Promise<Check> {
  const group = groupOf(apiVersion)
  const kind = group === '' ? resource : `${resource}.${group}`
  const name = `Access to ${kind}`
  const who = `${actor.namespace}/${actor.name}`
  const answers = await Promise.all(
    verbs.map(async verb => ({ verb, answer: await api.post(REVIEWS, review(actor, group, resource, verb)) })),
  )
  const failed = answers.find(({ answer }) => !answer.ok)
  if (failed !== undefined && !failed.answer.ok)
    return unknown(name, `the API server does not report what service account ${who} may do: ${failed.answer.reason}`)
  const denied = answers.filter(({ answer }) => !answer.ok || at(answer.body, 'status', 'allowed') !== true).map(({ verb }) => verb)
  if (denied.length === 0) return well(name, `service account ${who} has all permissions it needs`)
  return wrong(name, `service account ${who} may not ${denied.join(', ')}`, actor.grant(role))
}

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** Names the groups, because the API server adds them only to authenticated requests. */
const review = ({ namespace, name }: Account, group: string, resource: string, verb: string) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    resourceAttributes: { group, resource, verb },
  },
})
