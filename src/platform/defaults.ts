// Defaults for fields that the claim does not set. The function's input can change every value.
import type { EventDrivenServiceSpec } from '../claim/generated/types.ts'

/** The fields of a claim that a platform or an environment may have a default for. */
export interface Defaults {
  readonly size?: string
  readonly nats?: Partial<Pick<NonNullable<EventDrivenServiceSpec['nats']>, 'url' | 'account' | 'accountID' | 'monitoringEndpoint'>>
  readonly scaling?: EventDrivenServiceSpec['scaling']
  readonly imagePullSecrets?: EventDrivenServiceSpec['imagePullSecrets']
  readonly healthPath?: string
  readonly readyPath?: string
  readonly rootFilesystem?: EventDrivenServiceSpec['rootFilesystem']
  readonly knative?: Omit<NonNullable<EventDrivenServiceSpec['knative']>, 'traffic'>
  readonly eventing?: {
    readonly broker?: Pick<NonNullable<NonNullable<EventDrivenServiceSpec['eventing']>['broker']>, 'class' | 'delivery'>
  }
  readonly mesh?: Pick<
    NonNullable<EventDrivenServiceSpec['mesh']>,
    'mtls' | 'timeout' | 'retries' | 'circuitBreaker' | 'egress' | 'tracing' | 'accessLogs'
  >
  readonly observability?: Pick<NonNullable<EventDrivenServiceSpec['observability']>, 'metrics' | 'alerts' | 'slo' | 'dashboard'>
  readonly build?: Pick<NonNullable<EventDrivenServiceSpec['build']>, 'strategy' | 'timeout'>
}

export interface ResourceRequirements {
  readonly requests: { readonly cpu: string; readonly memory: string }
  readonly limits: { readonly cpu?: string; readonly memory: string }
}

export const builtIn = {
  size: 'medium',
  nats: {
    url: 'nats://nats.nats.svc:4222',
    account: '$SYS',
    // The plain Service `nats` does not expose the monitoring port; the headless one does.
    monitoringEndpoint: 'nats-headless.nats.svc.cluster.local:8222',
  },
  scaling: { minReplicas: 1, maxReplicas: 10, lagThreshold: 5, activationLagThreshold: 0, paused: false },
  healthPath: '/health',
  readyPath: '/ready',
  rootFilesystem: 'Writable',
  knative: {
    autoscaling: { class: 'kpa', metric: 'concurrency', target: 100, minScale: 0, maxScale: 10, scaleDownDelay: '30s' },
    containerConcurrency: 100,
    timeoutSeconds: 300,
    visibility: 'external',
  },
  eventing: { broker: { class: 'MTChannelBasedBroker' } },
  mesh: {
    mtls: 'STRICT',
    timeout: '30s',
    retries: { attempts: 3, perTryTimeout: '10s', retryOn: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', '503'] },
    circuitBreaker: {
      maxConnections: 100,
      maxPending: 100,
      maxRequests: 1000,
      errors: 5,
      interval: '30s',
      ejection: '30s',
      maxEjectionPercent: 50,
    },
    egress: 'ALLOW_ANY',
    tracing: { sampling: 1 },
    accessLogs: true,
  },
  observability: { metrics: { path: '/metrics' }, alerts: { lag: '10m' }, dashboard: true },
  build: { strategy: 'buildpacks-v3', timeout: '30m' },
} as const satisfies Defaults

const preset = (
  size: string,
  least: number,
  most: number,
  target: number,
  scaleDownDelay: string,
  timeoutSeconds: number,
  mesh: Defaults['mesh'] & object,
): Defaults => ({
  size,
  mesh,
  scaling: { minReplicas: least, maxReplicas: most },
  knative: {
    autoscaling: { target, minScale: least, maxScale: most, scaleDownDelay },
    containerConcurrency: target,
    timeoutSeconds,
  },
})

export const environments = {
  development: preset('small', 0, 3, 50, '15s', 60, { mtls: 'PERMISSIVE', egress: 'ALLOW_ANY', tracing: { sampling: 10 } }),
  staging: preset('small', 1, 5, 80, '30s', 120, { mtls: 'STRICT', egress: 'ALLOW_ANY', tracing: { sampling: 5 } }),
  production: preset('medium', 2, 20, 100, '60s', 300, { mtls: 'STRICT', egress: 'REGISTRY_ONLY', tracing: { sampling: 1 } }),
} as const satisfies Readonly<Record<string, Defaults>>

export const sizes = {
  micro: { requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: '500m', memory: '1Gi' } },
  small: { requests: { cpu: '250m', memory: '512Mi' }, limits: { cpu: '1000m', memory: '2Gi' } },
  medium: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '2000m', memory: '4Gi' } },
  large: { requests: { cpu: '1000m', memory: '2Gi' }, limits: { cpu: '4000m', memory: '8Gi' } },
} as const satisfies Readonly<Record<string, ResourceRequirements>>
