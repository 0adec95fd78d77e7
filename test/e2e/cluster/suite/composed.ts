// The examples and their resources.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { composedOf } from '../../../../tools/apply.ts'
import { root } from '../../../fixtures/claim-files.ts'
import { referenceTo } from '../api.ts'
import { type ClaimManifest, KIND, missing } from '../claim.ts'
import { type Cluster, manifests } from '../cluster.ts'

export interface Example {
  readonly file: string
  readonly claim: ClaimManifest
}

export const examplesThat = (belong: (claim: ClaimManifest) => boolean): readonly Example[] =>
  readdirSync(join(root, 'examples'))
    .filter(name => name.endsWith('-claim.yaml'))
    .flatMap(name => {
      const file = `examples/${name}`
      const claims = manifests(readFileSync(join(root, file), 'utf8')).filter(({ kind }) => kind === KIND) as ClaimManifest[]
      return claims.filter(belong).map(claim => ({ file, claim }))
    })

export const namesOf = ({ metadata }: ClaimManifest) => `${metadata.namespace}/${metadata.name}`

/** Excludes replicas, which KEDA manages from the start. */
function withoutReplicas(manifest: JsonObject): JsonObject {
  const { replicas: _, ...spec } = isObject(manifest.spec) ? manifest.spec : {}
  return manifest.kind === 'Deployment' ? { ...manifest, spec } : manifest
}

/** The composed fields that differ in the cluster. */
export async function lacking({ api }: Cluster, claim: ClaimManifest): Promise<string[]> {
  const lists = await Promise.all(
    composedOf(claim).map(async manifest =>
      missing(withoutReplicas(manifest), await api.get(referenceTo(manifest)), String(manifest.kind)),
    ),
  )
  return lists.flat()
}
