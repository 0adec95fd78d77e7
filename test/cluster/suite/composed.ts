// The examples, and what they become.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseClaim } from '../../../src/claim/parse.ts'
import { builtInPlatform } from '../../../src/claim/platform.ts'
import { compose } from '../../../src/compose.ts'
import { isObject, type JsonObject } from '../../../src/json.ts'
import { root } from '../../claim-files.ts'
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

/** What the function said it would make, seen from the API server. */
export function composedOf(claim: ClaimManifest): readonly JsonObject[] {
  const parsed = parseClaim(claim, builtInPlatform)
  if (!parsed.ok) throw new Error(`${namesOf(claim)} is not valid`)
  return compose(parsed.claim, builtInPlatform, {}).resources.map(({ manifest }) => manifest)
}

/** The secrets that a Deployment refers to, which whoever applies the claim has made before: KEDA reads the variables, too. */
export function secretsOf(claim: ClaimManifest): JsonObject[] {
  const keys = new Map<string, Record<string, string>>()
  const see = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(see)
    if (!isObject(value)) return
    const reference = isObject(value.secretKeyRef) ? value.secretKeyRef : isObject(value.secretRef) ? value.secretRef : undefined
    if (reference !== undefined) {
      const of = keys.get(String(reference.name)) ?? {}
      if (typeof reference.key === 'string') of[reference.key] = 'secret'
      keys.set(String(reference.name), of)
    }
    Object.values(value).forEach(see)
  }
  composedOf(claim).forEach(see)
  const { namespace } = claim.metadata
  return [...keys].map(([name, stringData]) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData }))
}

/** KEDA's from the first moment on. */
function withoutReplicas(manifest: JsonObject): JsonObject {
  const { replicas: _, ...spec } = isObject(manifest.spec) ? manifest.spec : {}
  return manifest.kind === 'Deployment' ? { ...manifest, spec } : manifest
}

/** What of all that was composed does not live as it was composed. */
export async function lacking({ api }: Cluster, claim: ClaimManifest): Promise<string[]> {
  const lists = await Promise.all(
    composedOf(claim).map(async manifest =>
      missing(withoutReplicas(manifest), await api.get(referenceTo(manifest)), String(manifest.kind)),
    ),
  )
  return lists.flat()
}
