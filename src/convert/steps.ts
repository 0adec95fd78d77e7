// What to type, in order, so that no pod goes missing.
import { at, type JsonObject, textOf } from '../kubernetes/json.ts'
import { selectorOf } from '../kubernetes/selector.ts'
import { ADOPT } from '../reconcile/name-conflicts.ts'
import { quoted } from '../text/shell-quote.ts'
import type { Pair } from './compare.ts'
import { preparation } from './takeover-patch.ts'

export interface Step {
  readonly says: string
  readonly commands: readonly string[]
}

export function stepsTo(pairs: readonly Pair[], deployment: Pair, claim: JsonObject): Step[] {
  const name = quoted(textOf(at(claim, 'metadata', 'name')))
  const kubectl = `kubectl -n ${quoted(textOf(at(claim, 'metadata', 'namespace')))}`
  const taken = pairs.filter(pair => pair.given !== undefined && pair.made !== undefined)
  const selector = selectorOf(deployment.given)
  const count = at(deployment.given, 'spec', 'replicas')
  const anew = selector !== selectorOf(deployment.made)
  const patches = (kinds: readonly string[]) =>
    taken
      .filter(({ given, made }) => kinds.includes(textOf(given?.kind)) && nameOf(given) === nameOf(made))
      .map(
        pair =>
          `${kubectl} patch ${targetOf(pair.given)} --type=json -p ${quoted(JSON.stringify(preparation(pair, deployment.given ?? {})))}`,
      )
  const renamed = taken.filter(({ given, made }) => given?.kind === 'ScaledObject' && nameOf(given) !== nameOf(made))
  const adopts = at(claim, 'metadata', 'annotations', ADOPT) !== undefined
  const steps: (Step | undefined)[] = [
    {
      says: 'Keep what is there, for the way back:',
      commands: [`${kubectl} get ${taken.map(({ given }) => targetOf(given)).join(' ')} -o yaml > before.yaml`],
    },
    {
      says: 'Bring it into the shape of the claim, and let go of the fields; the pods roll once if their template changes:',
      commands: [
        ...patches(['Service', 'ServiceAccount', 'ScaledObject']),
        ...patches(['Deployment']),
        `${kubectl} rollout status deployment/${name}`,
      ],
    },
    anew
      ? {
          says: 'A selector can not be changed, so the Deployment is made anew beside its pods, which the Service finds meanwhile:',
          commands: [
            `${kubectl} label pods -l ${quoted(selector)} app.kubernetes.io/name=${name} --overwrite`,
            `${kubectl} delete deployment/${name} --cascade=orphan`,
          ],
        }
      : undefined,
    renamed.length === 0
      ? undefined
      : {
          says: 'KEDA takes one ScaledObject for a Deployment. Without it the replicas stay as many as they are:',
          commands: renamed.map(({ given }) => `${kubectl} delete ${targetOf(given)}`),
        },
    {
      says: `Apply the claim${adopts ? '' : '. It waits with the reason NameTaken until it may take the objects over'}:`,
      commands: [
        `${kubectl} apply -f claim.yaml`,
        ...(adopts ? [] : [`${kubectl} annotate eventdrivenservice ${name} ${ADOPT}=true`]),
        `${kubectl} wait eventdrivenservice/${name} --for=condition=Ready --timeout=5m`,
      ],
    },
    anew
      ? {
          says: 'Once the new pods do the work, take the old ones away:',
          commands: [
            ...(typeof count === 'number' && count > 1 ? [`${kubectl} scale deployment/${name} --replicas=${count}`] : []),
            `${kubectl} rollout status deployment/${name}`,
            `${kubectl} delete replicasets -l ${quoted(selector)}`,
          ],
        }
      : undefined,
  ]
  return steps.filter(step => step !== undefined)
}

const nameOf = (object: JsonObject | undefined) => at(object, 'metadata', 'name')

const targetOf = (object: JsonObject | undefined) => quoted(`${textOf(at(object, 'kind')).toLowerCase()}/${textOf(nameOf(object))}`)
