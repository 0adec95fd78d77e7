// The GitRepository of Flux, which reads the commit of a branch that the claim follows.
import type { Build, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, type JsonObject, nonEmptyText, textOf } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { inProgress, notReady, type Readiness, ready } from '../readiness.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'

const KIND = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' } as const

export const gitRepositoryKind: KindInfo = {
  ...KIND,
  plural: 'gitrepositories',
  product: 'Flux',
  summarize: manifest => [
    [at(manifest, 'spec', 'url'), at(manifest, 'spec', 'ref', 'branch')].map(part => scalar(part)).join('@'),
    `every ${scalar(at(manifest, 'spec', 'interval'))}`,
  ],
}

export const GIT_REPOSITORY = { key: 'git-repository' }

export const gitRepository = (build: Build): ComposedResource => ({
  ...GIT_REPOSITORY,
  build: claim => manifestOf(claim, build),
  ready: observed => readinessOf(observed, build),
  readyCondition: 'Ready',
})

/** Flux writes the revision as `main@sha1:<commit>`. That of another branch or repository is outdated. */
export function followedCommit(observed: JsonObject | undefined, { url, revision: branch }: Build): string | undefined {
  if (at(observed, 'spec', 'url') !== url) return undefined
  const [name, commit] = nonEmptyText(at(observed, 'status', 'artifact', 'revision'))?.split(/@sha(?:1|256):/) ?? []
  return name === branch ? commit : undefined
}

function manifestOf(claim: ResolvedClaim, { url, revision, cloneSecret }: Build): Manifest {
  return {
    ...KIND,
    metadata: metadata(claim, `${claim.name}-build`),
    spec: {
      interval: '1m',
      url,
      ref: { branch: revision },
      ...(cloneSecret !== undefined && { secretRef: { name: cloneSecret } }),
    },
  }
}

function readinessOf(observed: JsonObject, build: Build): Readiness {
  const { revision: branch } = build
  const name = textOf(at(observed, 'metadata', 'name'))
  const condition = observedCondition(observed, 'Ready')
  if (condition?.status === 'False')
    return notReady(
      condition.reason || 'GitRepositoryFailed',
      `Flux can't read branch ${branch} (GitRepository ${name}): ${condition.message}`,
    )
  return followedCommit(observed, build) === undefined
    ? inProgress('Waiting', `Flux has not read branch ${branch} yet (GitRepository ${name}).`)
    : ready('Read', `Flux has read branch ${branch}.`)
}
