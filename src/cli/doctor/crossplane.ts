import type { JsonObject } from '../../kubernetes/json.ts'
import type { Platform } from '../../platform/platform.ts'
import { type Api, itemsOf, nameOf, namespaceOf } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'
import { findDeployments, healthOf, imageOf, serviceAccountOf, versionOf } from './deployment.ts'
import { isAtLeast, showVersion, type Version } from './version.ts'

/** The first version that composes namespaced resources without provider-kubernetes. */
const NATIVE: Version = [2, 0, 0]
/** The packages' own constraint, `spec.crossplane.version`. */
export const MINIMUM: Version = [1, 17, 0]

const DOCS = 'https://docs.crossplane.io/latest/get-started/install/'
const INSTALL =
  'helm upgrade --install crossplane crossplane --repo https://charts.crossplane.io/stable --namespace crossplane-system --create-namespace'

/** The service account of Crossplane. */
export interface Account {
  readonly namespace: string
  readonly name: string
}

export interface Crossplane {
  readonly health: Check
  readonly deployment: JsonObject | undefined
  readonly account: Account | undefined
}

export async function checkCrossplane(api: Api): Promise<Crossplane> {
  const name = 'Crossplane'
  const answer = await findDeployments(api, 'app=crossplane')
  if (!answer.ok)
    return { health: unknown(name, `its Deployment can't be listed: ${answer.reason}`), deployment: undefined, account: undefined }
  const [deployment] = itemsOf(answer)
  if (deployment === undefined) {
    const message = `no Deployment in any namespace has the label app=crossplane (${DOCS})`
    return { health: wrong(name, message, INSTALL), deployment, account: undefined }
  }
  const { isWell, message, inspect } = await healthOf(api, deployment)
  return {
    health: isWell ? well(name, message) : wrong(name, message, inspect),
    deployment,
    account: { namespace: namespaceOf(deployment), name: serviceAccountOf(deployment) },
  }
}

/** The required version depends on composeAs in the Composition. */
export function checkVersion(deployment: JsonObject, { composeAs }: Pick<Platform, 'composeAs'>): Check {
  const name = 'Crossplane version'
  const version = versionOf(deployment)
  if (version === undefined)
    return unknown(
      name,
      `can't be read from the image ${imageOf(deployment)} of Deployment ${namespaceOf(deployment)}/${nameOf(deployment)}`,
    )
  const shown = showVersion(version)
  if (!isAtLeast(version, MINIMUM))
    return wrong(name, `${shown} is too old: the packages need Crossplane ${showVersion(MINIMUM)} or later, preferably 2.x`, INSTALL)
  if (isAtLeast(version, NATIVE)) return well(name, shown)
  if (composeAs === 'ProviderKubernetes') return well(name, `${shown}, through provider-kubernetes`)
  const message = `${shown} cannot compose namespaced resources: upgrade Crossplane to 2.x, or set composeAs: ProviderKubernetes in the Composition (docs/install.md#crossplane-1x)`
  return wrong(name, message, INSTALL)
}
