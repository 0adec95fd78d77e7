// Why the platform adds a field, changes it, or drops it because a claim can't express it.

/** `added`: by the platform; `unsaid`: a claim can't express it. */
export type Verdict = 'same' | 'added' | 'different' | 'unsaid'

type Reasons = readonly (readonly [RegExp, string])[]

const ADDED: Reasons = [
  [/^ServiceAccount$/, 'each service has its own account'],
  [/^Service\..*-http$|^Service$/, 'each service is reachable under its name'],
  [/automountServiceAccountToken$/, 'a worker does not need the Kubernetes API'],
  [/securityContext/, 'the restricted Pod Security Standard: not root, no privileges, no capabilities'],
  [/Probe$/, 'a rollout continues once the new pod is ready, and a pod that hangs is restarted'],
  [/Probe\./, 'the same timing for every service'],
  [/initContainers\[\d+\]\.(?:env|envFrom|resources)/, 'the init container has the same variables, secrets and limits'],
  [/\.env\.PORT$/, 'passes the port to the container'],
  [/\.env\.OTEL_SERVICE_NAME$/, 'names the service in telemetry'],
  [/\.env\.NATS_/, 'passes stream and consumer to the container'],
  [/\.resources/, 'each pod has requests and limits'],
  [/\.labels/, 'the labels of every object of the platform'],
  [/horizontalPodAutoscalerConfig|\.advanced$/, 'the default name of KEDA is too long for long claim names'],
  [/\.accountID$/, 'KEDA finds the stream by it: the system account never contains streams'],
  [/\.account$/, 'the account in which KEDA looks up the stream'],
  [/\.ports\b/, 'the port that the Service targets'],
]

const UNSAID: Reasons = [
  [/\.(?:labels|annotations)\b/, 'a claim sets none on its objects'],
  [/\.valueFrom$|configMapKeyRef|fieldRef|\.envFrom/, 'variables are values or come from secrets'],
  [/\.volume(?:s|Mounts)\b/, 'a claim has no volumes'],
  [/\.containers\[\d+\]$/, 'a claim has one container'],
  [/\.initContainers\[\d+\]$/, 'a claim has one init container, with the same image and a command'],
  [/\.triggers\[\d+\]$/, 'a claim scales on one consumer'],
  [/startupProbe/, 'a claim has a liveness and a readiness probe'],
]

const DIFFERENT: Reasons = [
  [/\.labels\b/, 'the labels of every object of the platform'],
  [/\.resources\./, 'the resources of the nearest size'],
  [/Probe/, 'the same probe for every service'],
  [/\.env\.(?:NATS_\w+|PORT)$/, 'the platform sets it, as a value'],
  [/^ScaledObject\.spec\..*\.account$/, 'the account of the platform'],
  [/\.(?:targetPort|ports)\b/, 'the Service targets the port named http'],
  [/\.containers\[\d+\]\.name$|\.initContainers\[\d+\]\.name$/, 'the containers are named main and init'],
  [/^Deployment\.spec\.selector\b/, 'a selector is immutable: the Deployment must be recreated'],
]

const tables: Readonly<Record<Exclude<Verdict, 'same'>, Reasons>> = { added: ADDED, different: DIFFERENT, unsaid: UNSAID }

export const reasonFor = (verdict: Verdict, path: string): string | undefined =>
  verdict === 'same' ? undefined : tables[verdict].find(([pattern]) => pattern.test(path))?.[1]
