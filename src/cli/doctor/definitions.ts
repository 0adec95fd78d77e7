import { observedCondition } from '../../kubernetes/conditions.ts'
import { isObject } from '../../kubernetes/json.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { type Api, isAbsent } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'

/** Checks whether the CRDs of another project are installed. */
export async function checkDefinitions(api: Api, name: string, crds: readonly string[], install: string): Promise<Check> {
  const answers = await Promise.all(
    crds.map(async crd => ({ crd, answer: await api.get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd}`) })),
  )
  const absent = answers.filter(({ answer }) => isAbsent(answer)).map(({ crd }) => crd)
  if (absent.length > 0) return wrong(name, `missing CRDs: ${absent.join(', ')}`, install)
  const unread = answers.flatMap(({ answer }) => (answer.ok ? [] : [answer.reason]))[0]
  if (unread !== undefined) return unknown(name, `its CRDs can't be read: ${unread}`)
  const pending = answers.filter(
    ({ answer }) => !answer.ok || !isObject(answer.body) || observedCondition(answer.body, 'Established')?.status !== 'True',
  )
  if (pending.length === 0) return well(name, `installed CRDs: ${crds.join(', ')}`)
  const names = pending.map(({ crd }) => crd)
  return wrong(name, `CRDs not established yet: ${names.join(', ')}`, ['kubectl', 'describe', 'crd', ...names].map(shellQuote).join(' '))
}
