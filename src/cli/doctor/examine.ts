// Runs all checks, and lists them in the order of their dependencies.

import type { Capability } from '../../capabilities/capability.ts'
import { capabilities, grantCommand, readingRoles } from '../../capabilities/index.ts'
import type { Platform } from '../../platform/platform.ts'
import { type Actor, checkAccess, checkReading } from './access.ts'
import type { Api } from './api.ts'
import { type Check, unknown } from './check.ts'
import { type Examined, examineNamed, examineWritten, type Operands } from './claims.ts'
import { type Crossplane, checkCrossplane, checkVersion } from './crossplane.ts'
import { checkProducts } from './diagnoses.ts'
import { checkPackages } from './packages.ts'
import { type ExaminedPods, examinePods } from './pods.ts'
import { checkPriority } from './priority.ts'
import { checkProvider, type Provider } from './provider.ts'
import { checkSources } from './sources.ts'

export interface Examination {
  readonly examined: readonly Examined[]
  readonly platform: Platform
  readonly pods: readonly ExaminedPods[]
  /** In the order of their dependencies. */
  readonly checks: Readonly<Record<Section, readonly Check[]>>
}

type Section = 'crossplane' | 'access' | 'products' | 'sources' | 'priorities' | 'pods' | 'claims'

export async function examine(api: Api, { named, written }: Operands): Promise<Examination> {
  const [crossplane, { checks: packages, platformOf }] = await Promise.all([checkCrossplane(api), checkPackages(api)])
  const examined: Examined[] = await Promise.all([
    ...named.map(one => examineNamed(api, one, platformOf)),
    ...written.map(({ claim }) => examineWritten(api, claim, platformOf)),
  ])
  const claims = examined.flatMap(({ claim }) => claim ?? [])
  const platform = platformOf(examined.find(({ composite }) => composite !== undefined)?.composite)
  // Without a claim, checks what nearly every claim needs.
  const needed = capabilities.filter(({ isUsual, resolve }) =>
    claims.length === 0 ? isUsual?.(platform) : claims.some(claim => resolve(claim) !== undefined),
  )
  const provider = platform.composeAs === 'ProviderKubernetes' ? await checkProvider(api, platform) : undefined
  const actor = actorOf(crossplane, provider)
  // Crossplane answers no questions about what provider-kubernetes applies.
  const readsPods = platform.features.podReasons && provider === undefined
  const [access, reading, products, sources, priorities, pods] = await Promise.all([
    checkRoles(api, actor, needed),
    readsPods && actor ? checkReading(api, actor, readingRoles) : [],
    checkProducts(api, { claims, platform }),
    Promise.all(examined.flatMap(({ claim, isNamespaceMissing }) => (claim && !isNamespaceMissing ? checkSources(api, claim) : []))),
    Promise.all(claims.map(claim => checkPriority(api, claim))),
    Promise.all(examined.flatMap(({ claim, isApplied }) => (claim && isApplied ? examinePods(api, claim) : []))),
  ])
  const version = crossplane.deployment ? [checkVersion(crossplane.deployment, platform)] : []
  return {
    examined,
    platform,
    pods,
    checks: {
      crossplane: [crossplane.health, ...version, ...packages, ...(provider?.checks ?? [])],
      access: [...access, ...reading],
      products,
      sources: sources.flat(),
      priorities: priorities.flat(),
      pods: pods.map(({ check }) => check),
      claims: examined.map(({ check }) => check),
    },
  }
}

function actorOf({ account }: Crossplane, provider: Provider | undefined): Actor | undefined {
  if (provider !== undefined) return provider.actor
  return account && { ...account, grant: grantCommand }
}

const checkRoles = async (api: Api, actor: Actor | undefined, needed: readonly Capability[]): Promise<Check[]> =>
  actor === undefined ? [unknown('Access', 'the service account that creates the resources is unknown')] : checkAccess(api, actor, needed)
