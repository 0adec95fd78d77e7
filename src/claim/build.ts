// Fills in the fields of spec.build that a claim leaves out.
import type { Platform } from '../platform/platform.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import { type Layer, layered } from './layers.ts'
import type { Build } from './resolved-claim.ts'

type Params = NonNullable<NonNullable<EventDrivenServiceSpec['build']>['params']>

/** Undefined on a platform without builds, where a check has refused a claim that asks for one. */
export function resolveBuild(
  { build }: EventDrivenServiceSpec,
  layers: readonly Layer[],
  { build: installed }: Platform,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): Build | undefined {
  if (build === undefined || installed === undefined) return undefined
  const { git, language, params = [], output, attempt } = build
  const ofLanguage = language && installed.languages?.[language]
  const { strategy = '', timeout = '' } = layered(layers, 'build') ?? {}
  const pushSecret = output?.pushSecret ?? installed.pushSecret
  return {
    url: git.url,
    revision: git.revision,
    follow: git.follow ?? false,
    ...(git.contextDir !== undefined && { contextDir: git.contextDir }),
    ...(git.cloneSecret !== undefined && { cloneSecret: git.cloneSecret }),
    strategy: ofLanguage?.strategy ?? strategy,
    params: mergeParams(params, ofLanguage?.params ?? []),
    image: output?.image ?? `${installed.registry}/${namespace}/${name}`,
    insecure: installed.insecure,
    ...(pushSecret !== undefined && { pushSecret }),
    ...(installed.serviceAccount !== undefined && { serviceAccount: installed.serviceAccount }),
    platforms: output?.platforms ?? [],
    timeout,
    asked: {
      ...(output?.pushSecret !== undefined && { pushSecret: output.pushSecret }),
      ...(build.timeout !== undefined && { timeout: build.timeout }),
      ...(attempt !== undefined && { attempt }),
    },
  }
}

const mergeParams = (own: Params, others: Params): Params => [
  ...own,
  ...others.filter(({ name }) => !own.some(param => param.name === name)),
]
