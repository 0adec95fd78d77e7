// The commands of a migration, in order, so that no pod is lost.
import { at, type JsonObject, textOf } from '../kubernetes/json.ts'
import { labelSelectorOf } from '../kubernetes/selector.ts'
import { ADOPT } from '../reconcile/name-conflicts.ts'
import { shellQuote } from '../text/shell-quote.ts'
import type { Pair } from './compare.ts'
import { takeoverPatch } from './takeover-patch.ts'

export interface Step {
  readonly says: string
  readonly commands: readonly string[]
}

export function stepsTo(pairs: readonly Pair[], deployment: Pair, claim: JsonObject, autoscalers: readonly JsonObject[] = []): Step[] {
  const name = shellQuote(textOf(at(claim, 'metadata', 'name')))
  const kubectl = `kubectl -n ${shellQuote(textOf(at(claim, 'metadata', 'namespace')))}`
  const taken = pairs.filter(pair => pair.given !== undefined && pair.made !== undefined)
  const selector = labelSelectorOf(deployment.given)
  const count = at(deployment.given, 'spec', 'replicas')
  const recreates = selector !== labelSelectorOf(deployment.made)
  const patches = (kinds: readonly string[]) =>
    taken
      .filter(({ given, made }) => kinds.includes(textOf(given?.kind)) && objectName(given) === objectName(made))
      .map(
        pair =>
          `${kubectl} patch ${kubectlTarget(pair.given)} --type=json -p ${shellQuote(JSON.stringify(takeoverPatch(pair, deployment.given ?? {})))}`,
      )
  const deletions = (kind: string) =>
    taken
      .filter(({ given, made }) => given?.kind === kind && objectName(given) !== objectName(made))
      .map(({ given }) => `${kubectl} delete ${kubectlTarget(given)}`)
  const [scalers, budgets] = [deletions('ScaledObject'), deletions('PodDisruptionBudget')]
  const adopts = at(claim, 'metadata', 'annotations', ADOPT) !== undefined
  const steps: (Step | undefined)[] = [
    {
      says: 'Save the current objects for a rollback:',
      commands: [`${kubectl} get ${taken.map(({ given }) => kubectlTarget(given)).join(' ')} -o yaml > before.yaml`],
    },
    {
      says: 'Give the objects the shape of the claim and release their fields. If the pod template changes, the pods roll once:',
      commands: [
        ...patches(['Service', 'ServiceAccount', 'ScaledObject', 'PodDisruptionBudget']),
        ...patches(['Deployment']),
        `${kubectl} rollout status deployment/${name}`,
      ],
    },
    recreates
      ? {
          says: 'The selector is immutable, so recreate the Deployment and keep its pods, which the Service still selects:',
          commands: [
            `${kubectl} label pods -l ${shellQuote(selector)} app.kubernetes.io/name=${name} --overwrite`,
            `${kubectl} delete deployment/${name} --cascade=orphan`,
          ],
        }
      : undefined,
    autoscalers.length === 0
      ? undefined
      : {
          says: 'The claim sets the replica count or lets KEDA set it, so delete the HPA, which sets it too:',
          commands: autoscalers.map(hpa => `${kubectl} delete ${kubectlTarget(hpa)}`),
        },
    scalers.length === 0
      ? undefined
      : { says: 'KEDA accepts one ScaledObject per Deployment. The replica count stays until the claim has its own:', commands: scalers },
    budgets.length === 0
      ? undefined
      : { says: 'Kubernetes evicts no pod that two PodDisruptionBudgets select, and the claim has its own:', commands: budgets },
    {
      says: `Apply the claim${adopts ? '' : '. It reports NameTaken until the annotation lets it adopt the objects'}:`,
      commands: [
        `${kubectl} apply -f claim.yaml`,
        ...(adopts ? [] : [`${kubectl} annotate eventdrivenservice ${name} ${ADOPT}=true`]),
        `${kubectl} wait eventdrivenservice/${name} --for=condition=Ready --timeout=5m`,
      ],
    },
    recreates
      ? {
          says: 'Once the new pods work, delete the old ones:',
          commands: [
            ...(typeof count === 'number' && count > 1 ? [`${kubectl} scale deployment/${name} --replicas=${count}`] : []),
            `${kubectl} rollout status deployment/${name}`,
            `${kubectl} delete replicasets -l ${shellQuote(selector)}`,
          ],
        }
      : undefined,
  ]
  return steps.filter(step => step !== undefined)
}

const objectName = (object: JsonObject | undefined) => at(object, 'metadata', 'name')

const kubectlTarget = (object: JsonObject | undefined) =>
  shellQuote(`${textOf(at(object, 'kind')).toLowerCase()}/${textOf(objectName(object))}`)
