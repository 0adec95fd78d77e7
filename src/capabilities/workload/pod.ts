// What the pods of every runtime share.
import type { EventDrivenServiceStatus } from '../../claim/generated/types.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { scalar } from '../summary.ts'
import { env, envFrom } from './env.ts'
import { mounts } from './volumes.ts'

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
const containerSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

const USER = 1000

const userSecurity = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  seccompProfile: { type: 'RuntimeDefault' },
}

/** The group lets the user write to scratch space and read secrets. */
export const podSecurity = { ...userSecurity, fsGroup: USER, fsGroupChangePolicy: 'OnRootMismatch' }

/** A tag that moves must be pulled each time; a digest never moves. */
export function imagePullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent'
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? 'latest'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

export const imagePullSecrets = ({ imagePullSecrets: names }: ResolvedClaim): { imagePullSecrets?: JsonObject[] } =>
  names.length === 0 ? {} : { imagePullSecrets: names.map(name => ({ name })) }

/** What the container and the init container share. Knative accepts no security settings on the pod, so the container has them. */
export const containerBase = (claim: ResolvedClaim): JsonObject => ({
  image: claim.image,
  imagePullPolicy: imagePullPolicy(claim.image),
  env: env(claim),
  ...envFrom(claim),
  resources: claim.resources as unknown as JsonObject,
  ...mounts(claim),
  securityContext: {
    ...(claim.runtime === 'Knative' && userSecurity),
    ...containerSecurity,
    ...(claim.rootFilesystem === 'ReadOnly' && { readOnlyRootFilesystem: true }),
  },
})

/** The program of the main container, if the claim names one. */
export const program = ({ command, args }: ResolvedClaim): JsonObject => ({ ...(command && { command }), ...(args && { args }) })

/** The running image: that of the pod template once it is rolled out, until then the previous one. Empty while nothing has run. */
export function runningImage(rolledOut: JsonObject | undefined, { workload }: EventDrivenServiceStatus): { image?: string } {
  const containers = items(at(rolledOut, 'spec', 'template', 'spec', 'containers'))
  const main = containers.find(container => at(container, 'name') === 'main')
  const running = rolledOut ? at(main, 'image') : workload?.image
  return typeof running === 'string' ? { image: running } : {}
}

/** Image and resources of the main container. */
export function summarizePod(podSpec: Json | undefined): (string | undefined)[] {
  const container = at(podSpec, 'containers', 0)
  return [scalar(at(container, 'image')), summarizeResource(container, 'cpu', 'CPU'), summarizeResource(container, 'memory', 'memory')]
}

function summarizeResource(container: Json | undefined, resource: string, unit: string): string | undefined {
  const [request, limit] = ['requests', 'limits'].map(bound => scalar(at(container, 'resources', bound, resource)))
  return request === undefined && limit === undefined ? undefined : `${request ?? '?'}–${limit ?? '∞'} ${unit}`
}

/** The init container has the same image, variables and limits as the container. */
export const initContainers = (claim: ResolvedClaim): { initContainers?: JsonObject[] } =>
  claim.initContainer === undefined
    ? {}
    : {
        initContainers: [
          {
            name: 'init',
            ...containerBase(claim),
            command: claim.initContainer.command,
            ...(claim.initContainer.args && { args: claim.initContainer.args }),
          },
        ],
      }
