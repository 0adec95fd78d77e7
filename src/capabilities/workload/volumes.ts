// The files of a claim, and those by which a worker logs in to NATS.
import type { Files, ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'

export const NATS_DIRECTORY = '/var/run/secrets/nats'
export const CREDENTIALS = 'user.creds'

interface Mounted {
  readonly volume: JsonObject & { readonly name: string }
  readonly mountPath: string
  readonly readOnly: boolean
}

/** The volumes of the pod; `mounts` has them for a container. */
export function volumes(claim: ResolvedClaim): { volumes?: JsonObject[] } {
  const all = mounted(claim)
  return all.length === 0 ? {} : { volumes: all.map(({ volume }) => volume) }
}

export function mounts(claim: ResolvedClaim): { volumeMounts?: JsonObject[] } {
  const all = mounted(claim)
  if (all.length === 0) return {}
  return { volumeMounts: all.map(({ volume: { name }, mountPath, readOnly }) => ({ name, mountPath, ...(readOnly && { readOnly }) })) }
}

function mounted(claim: ResolvedClaim): Mounted[] {
  const { files } = claim
  return [
    ...files.map((one, index) => ({
      volume: { name: `files-${index}`, ...sourceOf(one) },
      mountPath: one.mountPath,
      readOnly: one.kind !== 'Scratch',
    })),
    ...natsVolume(claim),
    ...(needsTmp(claim) ? [{ volume: { name: 'tmp', emptyDir: {} }, mountPath: '/tmp', readOnly: false }] : []),
  ]
}

/** Most programs write to /tmp, which a read-only root file system forbids. */
const needsTmp = ({ rootFilesystem, files, runtime, platform: { features } }: ResolvedClaim) =>
  rootFilesystem === 'ReadOnly' &&
  !files.some(({ mountPath }) => mountPath === '/tmp') &&
  (runtime === 'Deployment' || features.knativeEmptyDir)

function sourceOf(one: Files): JsonObject {
  switch (one.kind) {
    case 'Scratch':
      return { emptyDir: { sizeLimit: one.size, ...(one.memory && { medium: 'Memory' }) } }
    case 'Secret':
      return { secret: { secretName: one.name, ...itemsOf(one.key) } }
    case 'ConfigMap':
      return { configMap: { name: one.name, ...itemsOf(one.key) } }
    default:
      return one satisfies never
  }
}

const itemsOf = (key: string | undefined) => (key === undefined ? {} : { items: [{ key, path: key }] })

/** The client certificate is optional: whether the secret has one is not known here. */
function natsVolume({ nats }: ResolvedClaim): Mounted[] {
  const { credentials, tls } = nats ?? {}
  const secret = (name: string, keys: Readonly<Record<string, string>>, more: JsonObject = {}) => ({
    secret: { name, items: Object.entries(keys).map(([key, path]) => ({ key, path })), ...more },
  })
  const sources = [
    ...(credentials ? [secret(credentials.secret, { [credentials.key]: CREDENTIALS })] : []),
    ...(tls
      ? [secret(tls.secret, { 'ca.crt': 'ca.crt' }), secret(tls.secret, { 'tls.crt': 'tls.crt', 'tls.key': 'tls.key' }, { optional: true })]
      : []),
  ]
  return sources.length === 0 ? [] : [{ volume: { name: 'nats', projected: { sources } }, mountPath: NATS_DIRECTORY, readOnly: true }]
}

/** The variables that name the mounted files. */
export const natsFiles = ({ nats }: ResolvedClaim): Readonly<Record<string, string>> => ({
  ...(nats?.credentials && { NATS_CREDS: `${NATS_DIRECTORY}/${CREDENTIALS}` }),
  ...(nats?.tls && {
    NATS_CA: `${NATS_DIRECTORY}/ca.crt`,
    NATS_CERT: `${NATS_DIRECTORY}/tls.crt`,
    NATS_KEY: `${NATS_DIRECTORY}/tls.key`,
  }),
})
