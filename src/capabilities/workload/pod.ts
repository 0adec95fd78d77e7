// What the pods of every runtime share.
import type { EventDrivenServiceStatus } from '../../claim/generated/types.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { scalar } from '../summary.ts'
import { env, envFrom } from './env.ts'

/** What the restricted Pod Security Standard asks of a container. */
const containerSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
}

/** A tag that moves must be looked up again each time; a digest never moves. */
export function imagePullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent'
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? 'latest'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

export const imagePullSecrets = ({ imagePullSecrets: names }: ResolvedClaim): { imagePullSecrets?: JsonObject[] } =>
  names.length === 0 ? {} : { imagePullSecrets: names.map(name => ({ name })) }

const probe = (
  path: string,
  port: Json | undefined,
  initialDelaySeconds: number,
  periodSeconds: number,
  timeoutSeconds: number,
  failureThreshold: number,
) => ({
  httpGet: { path, ...(port !== undefined && { port }) },
  initialDelaySeconds,
  periodSeconds,
  timeoutSeconds,
  failureThreshold,
})

/** Knative knows the only port itself, so there none is named. */
export const probes = ({ healthPath, readyPath }: ResolvedClaim, port?: Json) => ({
  livenessProbe: probe(healthPath, port, 10, 10, 5, 3),
  readinessProbe: probe(readyPath, port, 5, 5, 3, 2),
})

/** What the container and the init container have in common. Knative takes no settings for the pod, so there the container has them all. */
export const containerBase = (claim: ResolvedClaim): JsonObject => ({
  image: claim.image,
  imagePullPolicy: imagePullPolicy(claim.image),
  env: env(claim),
  ...envFrom(claim),
  resources: claim.resources as unknown as JsonObject,
  securityContext: claim.runtime === 'Knative' ? { ...podSecurity, ...containerSecurity } : containerSecurity,
})

/** The image that runs: the one of the pod template once that is rolled out, until then the previous one. */
export function runningImage(rolledOut: JsonObject | undefined, { image }: ResolvedClaim, { workload }: EventDrivenServiceStatus): string {
  const containers = items(at(rolledOut, 'spec', 'template', 'spec', 'containers'))
  const main = containers.find(container => at(container, 'name') === 'main')
  const running = rolledOut ? at(main, 'image') : workload?.image
  return typeof running === 'string' ? running : image
}

/** Image and resources of the main container. */
export function summarizePod(podSpec: Json | undefined): (string | undefined)[] {
  const container = at(podSpec, 'containers', 0)
  return [scalar(at(container, 'image')), summarizeResource(container, 'cpu', 'CPU'), summarizeResource(container, 'memory', 'memory')]
}

function summarizeResource(container: Json | undefined, resource: string, unit: string): string | undefined {
  const [request, limit] = ['requests', 'limits'].map(bound => scalar(at(container, 'resources', bound, resource)))
  return request === undefined && limit === undefined ? undefined : `${request ?? '?'}–${limit ?? '?'} ${unit}`
}

/** The init container, which sees what the container sees. */
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
