// Whether an account may compose what a claim becomes. Asked of the API server itself, so that roles from anywhere count.
import { at } from '../../kubernetes/json.ts'
import type { Api } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'
import type { Account } from './crossplane.ts'

export type Role = 'deployment' | 'knative' | 'eventing'

export const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const

/** What each ClusterRole of package/runtime/rbac allows. A test holds the two together. */
export const composed: Readonly<Record<Role, readonly { readonly group: string; readonly resource: string }[]>> = {
  deployment: [
    { group: '', resource: 'serviceaccounts' },
    { group: '', resource: 'services' },
    { group: 'apps', resource: 'deployments' },
    { group: 'keda.sh', resource: 'scaledobjects' },
  ],
  knative: [{ group: 'serving.knative.dev', resource: 'services' }],
  eventing: [
    { group: 'eventing.knative.dev', resource: 'brokers' },
    { group: 'eventing.knative.dev', resource: 'triggers' },
    { group: 'sources.knative.dev', resource: 'kafkasources' },
  ],
}

export interface Actor extends Account {
  /** What grants it a role, with the role's file in package/runtime/rbac. */
  readonly grant: (role: Role) => string
}

/** A row for each kind. */
export const lookAtAccess = (api: Api, actor: Actor, roles: readonly Role[]): Promise<Check[]> =>
  Promise.all(roles.flatMap(role => composed[role].map(kind => lookAtKind(api, actor, role, kind))))

async function lookAtKind(api: Api, actor: Actor, role: Role, { group, resource }: { group: string; resource: string }): Promise<Check> {
  const kind = group === '' ? resource : `${resource}.${group}`
  const name = `Access to ${kind}`
  const who = `${actor.namespace}/${actor.name}`
  const answers = await Promise.all(
    verbs.map(async verb => ({ verb, answer: await api.post(REVIEWS, review(actor, group, resource, verb)) })),
  )
  const failed = answers.find(({ answer }) => !answer.ok)
  if (failed !== undefined && !failed.answer.ok)
    return unknown(name, `the API server does not say what ${who} may do: ${failed.answer.reason}`)
  const denied = answers.filter(({ answer }) => !answer.ok || at(answer.body, 'status', 'allowed') !== true).map(({ verb }) => verb)
  if (denied.length === 0) return well(name, `service account ${who} may do all that is needed`)
  return wrong(name, `service account ${who} may not ${denied.join(', ')}`, actor.grant(role))
}

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** The groups have to be said: the API server knows them only of whoever logs in. */
const review = ({ namespace, name }: Account, group: string, resource: string, verb: string) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    resourceAttributes: { group, resource, verb },
  },
})
