// Why the platform adds what the manifests did not have, and what becomes of what a claim has no word for.
import type { Verdict } from './comparison.ts'

type Reasons = readonly (readonly [RegExp, string])[]

const ADDED: Reasons = [
  [/^ServiceAccount$/, 'every service runs under an account of its own'],
  [/^Service\..*-http$|^Service$/, 'every service is reached under its name'],
  [/automountServiceAccountToken$/, 'a worker has no business with the Kubernetes API'],
  [/securityContext/, 'the restricted Pod Security Standard: not root, no privileges, no capabilities'],
  [/Probe$/, 'a rollout goes on when the new pod is ready, and a pod that hangs is started again'],
  [/Probe\./, 'the same patience for every service'],
  [/initContainers\[\d+\]\.(?:env|envFrom|resources)/, 'the init container sees what the container sees'],
  [/\.env\.PORT$/, 'the container is told its port'],
  [/\.env\.OTEL_SERVICE_NAME$/, 'telemetry bears the name of the service'],
  [/\.env\.NATS_/, 'the container is told what it consumes'],
  [/\.resources/, 'every pod has requests and limits'],
  [/\.labels/, 'the labels that every object of the platform bears'],
  [/horizontalPodAutoscalerConfig|\.advanced$/, "KEDA's own name for the autoscaler is too long for longer names"],
  [/\.accountID$/, 'KEDA finds the stream by it: no server keeps streams in its system account'],
  [/\.account$/, 'the account that KEDA looks the stream up in'],
  [/\.ports\b/, 'the port that the Service leads to'],
]

const UNSAID: Reasons = [
  [/\.(?:labels|annotations)\b/, 'a claim names none for what it becomes'],
  [/\.valueFrom$|configMapKeyRef|fieldRef|\.envFrom/, 'variables are values or come out of secrets'],
  [/\.volume(?:s|Mounts)\b/, 'a claim has no volumes'],
  [/\.containers\[\d+\]$/, 'a claim has one container'],
  [/\.initContainers\[\d+\]$/, 'a claim has one init container, with the same image and a command'],
  [/\.triggers\[\d+\]$/, 'a claim scales on one consumer'],
  [/startupProbe/, 'a claim has a liveness and a readiness probe'],
]

const DIFFERENT: Reasons = [
  [/\.labels\b/, 'the labels that every object of the platform bears'],
  [/\.resources\./, 'the figures of the nearest size'],
  [/Probe/, 'the same probe for every service'],
  [/\.env\.(?:NATS_\w+|PORT)$/, 'the platform sets it, as a value'],
  [/^ScaledObject\.spec\..*\.account$/, 'the account that the platform names'],
  [/\.(?:targetPort|ports)\b/, 'the Service leads to the port called http'],
  [/\.containers\[\d+\]\.name$|\.initContainers\[\d+\]\.name$/, 'the containers are called main and init'],
  [/^Deployment\.spec\.selector\b/, 'a selector can not be changed: the Deployment has to be made anew'],
]

const tables: Readonly<Record<Exclude<Verdict, 'same'>, Reasons>> = { added: ADDED, different: DIFFERENT, unsaid: UNSAID }

export const reasonFor = (verdict: Verdict, path: string): string | undefined =>
  verdict === 'same' ? undefined : tables[verdict].find(([pattern]) => pattern.test(path))?.[1]
