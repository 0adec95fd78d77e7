// Checks provider-kubernetes, which applies every resource if the Composition sets composeAs: ProviderKubernetes.

import { at, textOf } from '../../kubernetes/json.ts'
import type { Platform } from '../../platform/platform.ts'
import { shell } from '../../text/shell-quote.ts'
import type { Actor } from './access.ts'
import { type Api, isAbsent, itemsOf, namespaceOf } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'
import { checkPackage } from './packages.ts'

const NAME = 'provider-kubernetes'
const INSTALL = 'kubectl apply -f package/crossplane-1/provider.yaml'

export interface Provider {
  readonly checks: readonly Check[]
  /** Undefined if the credentials come from a secret, which doctor does not read. */
  readonly actor: Actor | undefined
}

export async function checkProvider(api: Api, { providerConfig }: Platform): Promise<Provider> {
  const answer = await api.get('/apis/pkg.crossplane.io/v1/providers')
  if (!answer.ok && !isAbsent(answer)) return { checks: [unknown(NAME, `can't be listed: ${answer.reason}`)], actor: undefined }
  const provider = itemsOf(answer).find(one => textOf(at(one, 'spec', 'package')).includes(NAME))
  if (provider === undefined)
    return { checks: [wrong(NAME, 'is not installed, but the Composition sets composeAs: ProviderKubernetes', INSTALL)], actor: undefined }
  // Only the provider's pods have the label of the revision.
  const revision = `pkg.crossplane.io/revision=${textOf(at(provider, 'status', 'currentRevision'))}`
  const [config, pods] = await Promise.all([
    api.get(`/apis/kubernetes.crossplane.io/v1alpha1/providerconfigs/${encodeURIComponent(providerConfig)}`),
    api.get(`/api/v1/pods?labelSelector=${encodeURIComponent(revision)}`),
  ])
  const health = checkPackage(NAME, 'provider.pkg', provider)
  const configName = 'ProviderConfig'
  if (isAbsent(config)) {
    const message = `ProviderConfig ${providerConfig} of kubernetes.crossplane.io does not exist (docs/install.md#crossplane-1x)`
    return { checks: [health, wrong(configName, message, 'kubectl get providerconfigs.kubernetes.crossplane.io')], actor: undefined }
  }
  if (!config.ok) return { checks: [health, unknown(configName, `can't be read: ${config.reason}`)], actor: undefined }
  const source = at(config.body, 'spec', 'credentials', 'source')
  const [pod] = itemsOf(pods)
  const found = well(configName, `${providerConfig}, credentials from ${textOf(source)}`)
  if (source !== 'InjectedIdentity' || pod === undefined) return { checks: [health, found], actor: undefined }
  const [namespace, name] = [namespaceOf(pod), textOf(at(pod, 'spec', 'serviceAccountName'))]
  const grant: Actor['grant'] = role =>
    shell`kubectl apply -f package/runtime/rbac/${role}.yaml && kubectl create clusterrolebinding ${NAME}:${role} --clusterrole=event-driven-service:${role} --serviceaccount=${namespace}:${name}`
  return { checks: [health, found], actor: { namespace, name, grant } }
}
