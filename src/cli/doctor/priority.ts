// Checks that the PriorityClass of a claim exists. Without it no pod is created.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { type Api, isAbsent, itemsOf, nameOf } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'
import { suggest } from './suggestion.ts'

const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses'

/** A row if the claim has a priority. */
export async function checkPriority(api: Api, { namespace, name, priorityClass }: ResolvedClaim): Promise<Check[]> {
  if (priorityClass === undefined) return []
  const row = `PriorityClass of ${namespace}/${name}`
  const answer = await api.get(`${CLASSES}/${encodeURIComponent(priorityClass)}`)
  if (answer.ok) return [well(row, `${priorityClass} exists`)]
  if (!isAbsent(answer)) return [unknown(row, `PriorityClass ${priorityClass} can't be read: ${answer.reason}`)]
  const near = suggest(priorityClass, itemsOf(await api.get(CLASSES)).map(nameOf))
  const message = `PriorityClass '${priorityClass}', which priorities in the function's input names, does not exist${near.question}, so Kubernetes creates no new pods`
  return [wrong(row, message, 'kubectl get priorityclasses')]
}
