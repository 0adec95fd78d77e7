// The volumes of a pod that a claim can express as files.
import { CREDENTIALS, NATS_DIRECTORY } from '../capabilities/workload/volumes.ts'
import { KIND } from '../claim/identity.ts'
import type { Nats, ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { builtInPlatform } from '../platform/platform.ts'
import { API_VERSION, parseClaim } from '../reconcile/parse-claim.ts'
import { definedFields } from './fields.ts'
import { sizedResources } from './size.ts'

/** The claim's `files`. What it can't mount is left out. */
export function filesOf(pod: Json | undefined, main: Json | undefined, claim: ResolvedClaim): readonly JsonObject[] {
  const { limits } = sizedResources(at(main, 'resources'), claim)
  const mounts = items(at(main, 'volumeMounts'))
  const isReadOnly = at(main, 'securityContext', 'readOnlyRootFilesystem') === true
  const files = mounts.flatMap((mount, index): JsonObject[] => {
    const volume = volumeOf(pod, mount)
    const isShared = mounts.findIndex(other => at(other, 'name') === at(mount, 'name')) !== index
    const file = isReadOnly && isOwnTmp(mount, volume) ? undefined : fileOf(mount, volume, { isShared, memoryLimit: limits.memory })
    return file === undefined ? [] : [file]
  })
  return acceptedOf(files)
}

const volumeOf = (pod: Json | undefined, mount: Json): Json | undefined =>
  items(at(pod, 'volumes')).find(volume => at(volume, 'name') === at(mount, 'name'))

/** The platform adds it to a read-only root file system. */
const isOwnTmp = (mount: Json, volume: Json | undefined) =>
  at(mount, 'mountPath') === '/tmp' &&
  at(volume, 'emptyDir') !== undefined &&
  at(volume, 'emptyDir', 'sizeLimit') === undefined &&
  !inMemory(volume)

const inMemory = (volume: Json | undefined) => at(volume, 'emptyDir', 'medium') === 'Memory'

/** A limit that no worker reaches by accident. It reserves nothing on the node. */
const UNLIMITED = '10Gi'

/** Scratch space that is mounted twice would become two. */
function fileOf(
  mount: Json,
  volume: Json | undefined,
  { isShared, memoryLimit }: { isShared: boolean; memoryLimit: string },
): JsonObject | undefined {
  if (['subPath', 'subPathExpr', 'mountPropagation'].some(field => at(mount, field) !== undefined)) return undefined
  const mountPath = at(mount, 'mountPath')
  const [secret, configMap, emptyDir] = [at(volume, 'secret'), at(volume, 'configMap'), at(volume, 'emptyDir')]
  if (emptyDir !== undefined) {
    const memory = inMemory(volume) ? true : undefined
    // Kubernetes limits a directory in memory by the memory of the pod.
    const size = at(emptyDir, 'sizeLimit') ?? (memory ? memoryLimit : UNLIMITED)
    return isShared ? undefined : definedFields({ scratch: textOf(size), memory, mountPath })
  }
  const source = secret ?? configMap
  const keys = items(at(source, 'items'))
  const [item] = keys
  const isWhole = keys.length === 0
  const isSingle = keys.length === 1 && at(item, 'key') === at(item, 'path') && at(item, 'mode') === undefined
  if (source === undefined || !(isWhole || isSingle)) return undefined
  const name = at(secret, 'secretName') ?? at(configMap, 'name')
  return definedFields({ [secret === undefined ? 'configMap' : 'secret']: name, key: at(item, 'key'), mountPath })
}

/** Those that a claim may have: its own rules decide about directories. */
function acceptedOf(files: readonly JsonObject[]): readonly JsonObject[] {
  if (isAccepted(files)) return files
  const accepted: JsonObject[] = []
  for (const file of files) if (isAccepted([...accepted, file])) accepted.push(file)
  return accepted
}

/** Whatever the policy of the platform says about the rest of the claim. */
function isAccepted(files: readonly JsonObject[]): boolean {
  const metadata = { name: 'files', namespace: 'files' }
  return parseClaim({ apiVersion: API_VERSION, kind: KIND, metadata, spec: { image: 'files', httpPort: 8080, files } }, builtInPlatform).ok
}

/** The credentials and certificates that the platform mounts for spec.nats; nothing if the volume is the author's. */
export function natsFilesOf(pod: Json | undefined, main: Json | undefined): Pick<Nats, 'credentials' | 'tls'> {
  const mount = items(at(main, 'volumeMounts')).find(each => at(each, 'mountPath') === NATS_DIRECTORY)
  const sources = mount === undefined ? [] : items(at(volumeOf(pod, mount), 'projected', 'sources'))
  const mountedAs = (path: string) => {
    const secret = at(
      sources.find(source => at(source, 'secret', 'items', 0, 'path') === path),
      'secret',
    )
    return secret === undefined ? undefined : { secret: textOf(at(secret, 'name')), key: textOf(at(secret, 'items', 0, 'key')) }
  }
  const [credentials, tls] = [mountedAs(CREDENTIALS), mountedAs('ca.crt')]
  return { ...(credentials && { credentials }), ...(tls && { tls: { secret: tls.secret } }) }
}

/** The same as fields of a claim. */
export const natsFileFields = ({ credentials, tls }: Pick<Nats, 'credentials' | 'tls'>): JsonObject => ({
  ...(credentials && {
    credentials: { secret: credentials.secret, ...(credentials.key !== CREDENTIALS && { key: credentials.key }) },
  }),
  ...(tls && { tls: { secret: tls.secret } }),
})
