import { observedCondition } from '../../kubernetes/conditions.ts'
import { isObject } from '../../kubernetes/json.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { type Api, isAbsent } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'

/** Whether the API server knows the kinds that somebody else has to bring. */
export async function checkDefinitions(api: Api, name: string, crds: readonly string[], install: string): Promise<Check> {
  const answers = await Promise.all(
    crds.map(async crd => ({ crd, answer: await api.get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd}`) })),
  )
  const absent = answers.filter(({ answer }) => isAbsent(answer)).map(({ crd }) => crd)
  if (absent.length > 0) return wrong(name, `the cluster does not know ${absent.join(', ')}`, install)
  const unread = answers.flatMap(({ answer }) => (answer.ok ? [] : [answer.reason]))[0]
  if (unread !== undefined) return unknown(name, `can't be looked for: ${unread}`)
  const pending = answers.filter(
    ({ answer }) => !answer.ok || !isObject(answer.body) || observedCondition(answer.body, 'Established')?.status !== 'True',
  )
  if (pending.length === 0) return well(name, `the cluster knows ${crds.join(', ')}`)
  const names = pending.map(({ crd }) => crd)
  return wrong(name, `not Established yet: ${names.join(' ')}`, ['kubectl', 'describe', 'crd', ...names].map(shellQuote).join(' '))
}
