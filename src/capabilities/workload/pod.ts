// What the pods of every runtime share.
import type { EventDrivenServiceStatus } from '../../claim/generated/types.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { scalar } from '../summary.ts'
import { env, envFrom } from './env.ts'

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
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

/** A tag that moves must be pulled each time; a digest never moves. */
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

/** With Knative the probes name no port: Knative uses the container's only one. */
export const probes = ({ healthPath, readyPath }: ResolvedClaim, port?: Json) => ({
  livenessProbe: probe(healthPath, port, 10, 10, 5, 3),
  readinessProbe: probe(readyPath, port, 5, 5, 3, 2),
})

/** What the container and the init container share. Knative accepts no security settings on the pod, so the container has them. */
export const containerBase = (claim: ResolvedClaim): JsonObject => ({
  image: claim.image,
  imagePullPolicy: imagePullPolicy(claim.image),
  env: env(claim),
  ...envFrom(claim),
  resources: claim.resources as unknown as JsonObject,
  securityContext: claim.runtime === 'Knative' ? { ...podSecurity, ...containerSecurity } : containerSecurity,
})

/** The running image: that of the pod template once it is rolled out, until then the previous one. */
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
