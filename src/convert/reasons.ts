// Why the platform adds a field, changes it, or drops it because a claim can't express it.

/** `added`: by the platform; `unsaid`: a claim can't express it. */
export type Verdict = 'same' | 'added' | 'different' | 'unsaid'

type Reasons = readonly (readonly [RegExp, string])[]

const ADDED: Reasons = [
  [/^ServiceAccount$/, 'each service has its own account'],
  [/^Service\..*-http$|^Service$/, 'each service is reachable under its name'],
  [/^PodDisruptionBudget(?:\.spec\.maxUnavailable)?$/, 'at most a quarter of the pods is unavailable at once'],
  [/\.unhealthyPodEvictionPolicy$/, 'a pod that is not ready must not block the drain of a node'],
  [/\.selector\b/, 'every object selects the pods by the name of the service alone'],
  [/^ServiceAccount\.metadata\.annotations\b/, 'the identity in the cloud of the platform'],
  [/automountServiceAccountToken$/, 'a worker does not need the Kubernetes API'],
  [/\.readOnlyRootFilesystem$/, 'the platform makes the root file system read-only'],
  [/\.fsGroup(?:ChangePolicy)?$/, 'the user may read its secrets and write to its scratch space'],
  [/securityContext/, 'the restricted Pod Security Standard: not root, no privileges, no capabilities'],
  [/Probe$/, 'a rollout continues once the new pod is ready, and a pod that hangs is restarted'],
  [/startupProbe\.(?:periodSeconds|failureThreshold)$/, 'the same time to start, probed every 5 seconds'],
  [/Probe\./, 'the same timing for every service'],
  [/initContainers\[\d+\]\.(?:env|envFrom|volumeMounts|resources)/, 'the init container has the same variables, secrets, files and limits'],
  [/\.env\.PORT$/, 'passes the port to the container'],
  [/\.env\.OTEL_/, 'names the service, its version and its namespace in telemetry'],
  [/\.env\.(?:CONCURRENCY|MAX_PROCESSING_SECONDS)$/, 'passes processing to the container'],
  [/\.env\.NATS_/, 'passes stream and consumer to the container'],
  [/\.resources/, 'each pod has requests and limits'],
  [/\.labels\["app\.kubernetes\.io\/version"\]$/, 'the version of the image'],
  [/\.annotations\["[a-z.]*istio\.io\//, 'what the sidecar of the mesh leaves to the container'],
  [/\.annotations\b/, 'where the sidecar of the mesh finds the metrics'],
  [/\.labels/, 'the labels of every object of the platform'],
  [/\.scaleDown\b/, 'the number of replicas falls only after the lag was low for as long as a message may take'],
  [/horizontalPodAutoscalerConfig|\.advanced$/, 'the default name of KEDA is too long for long claim names'],
  [/\.accountID$/, 'KEDA finds the stream by it: the system account never contains streams'],
  [/\.account$/, 'the account in which KEDA looks up the stream'],
  [/\.ports\b/, 'the port that the Service targets'],
  [/\.(?:rollingUpdate|maxSurge)\b|\.strategy$/, 'a new pod is ready before an old one stops'],
  [/\.revisionHistoryLimit$/, 'three earlier versions are enough for a rollback'],
  [/\.lifecycle\b/, 'requests still arrive for a moment after a pod was told to stop'],
  [/\.sizeLimit$/, 'scratch space has a limit: choose what the service needs'],
  [/\.readOnly$/, 'Kubernetes mounts Secrets and ConfigMaps read-only anyway'],
  [/\.volume(?:s|Mounts)\b/, 'a read-only root file system needs a writable /tmp'],
]

const UNSAID: Reasons = [
  [/^PodDisruptionBudget$/, 'a claim has one of its own name, if it may have more than one replica'],
  [/\.minAvailable$/, 'at one replica, or at none, it would block the drain of a node'],
  [/^ServiceAccount\.metadata\.annotations\b/, "an identity in a cloud needs features.identity in the platform's input"],
  [/\.annotations\["prometheus\.io\//, 'the platform sets it for all pods with features.prometheusAnnotations in its input'],
  [/\.(?:labels|annotations)\["[a-z.]*istio\.io\//, 'a claim is in the mesh with spec.mesh, if the platform has mesh in its input'],
  [/\.(?:labels|annotations)\b/, 'a claim sets none on its objects'],
  [/\.env\.NATS_/, 'the platform sets it for a claim with nats'],
  [/\.valueFrom\b|fieldRef|\.env(?:\.[\w$-]+|\["[^"]*"\])$/, 'variables are values, or keys of ConfigMaps and Secrets'],
  [/\.selector\b/, 'every object selects the pods by the name of the service alone'],
  [/\.ports\b/, 'a claim has one port'],
  [/\.optional$/, 'files are required'],
  [/\.defaultMode$/, 'files have the mode 0644'],
  [/\.volume(?:s|Mounts)\b/, 'files are Secrets, ConfigMaps or scratch space, each in a directory of its own, with all keys or one'],
  [/\.containers\[\d+\]$/, 'a claim has one container'],
  [/\.initContainers\[\d+\]$/, 'a claim has one init container, with the same image and a command'],
  [/\.triggers\[\d+\]$/, 'a claim scales on one consumer'],
  [/\.useHttps$/, 'the platform lists servers with HTTPS under natsServers in its input'],
  [/\.behavior\b/, 'the pace of the autoscaler follows from processing'],
  [/\.priorityClassName$/, 'the platform names each PriorityClass under priorities in its input'],
  [/\.terminationGracePeriodSeconds$/, 'a pod has 30 seconds to stop, and with processing the time for a message too'],
  [/\.lifecycle\b/, 'a claim has no hooks'],
  [/Probe\b/, 'a claim sets the handler, the period and the failures of a probe'],
  [/\.(?:nodeSelector|tolerations|affinity|topologySpreadConstraints)\b/, 'the platform decides where pods run'],
]

const DIFFERENT: Reasons = [
  [/^(?:ScaledObject|PodDisruptionBudget)\.metadata\.name$/, 'no object can be renamed: the claim creates one of its own name'],
  [/^ServiceAccount\.metadata\.name$/, 'each service has its own account: bind the roles of the old one to it'],
  [/^PodDisruptionBudget\.spec\.maxUnavailable$/, 'at most a quarter of the pods is unavailable at once'],
  [/\.unhealthyPodEvictionPolicy$/, 'a pod that is not ready must not block the drain of a node'],
  [/^(?:Service|PodDisruptionBudget)\.spec\.selector\b/, 'every object selects the pods by the name of the service alone'],
  [/\.labels\["app\.kubernetes\.io\/version"\]$/, 'the version of the image'],
  [/\.labels\b/, 'the labels of every object of the platform'],
  [/\.resources\./, 'the resources of the nearest size'],
  [/startupProbe\.(?:periodSeconds|failureThreshold)$/, 'the same time to start, probed every 5 seconds'],
  [/Probe\.(?:initialDelaySeconds|timeoutSeconds)$/, 'the same timing for every service'],
  [/Probe$/, 'a claim asks only its HTTP port for a path, and any other port whether it is open'],
  [/\.env\.(?:NATS_\w+|PORT)$/, 'the platform sets it, as a value'],
  [/^ScaledObject\.spec\..*\.account$/, 'the account of the platform'],
  [/\.(?:targetPort|ports)\b/, 'the Service targets the port named http'],
  [/\.containers\[\d+\]\.name$|\.initContainers\[\d+\]\.name$/, 'the containers are named main and init'],
  [/^Deployment\.spec\.selector\b/, 'a selector is immutable: the Deployment must be recreated'],
  [/\.terminationGracePeriodSeconds$/, 'the longest that the platform allows'],
  [/\.strategy\.type$/, 'only a Deployment of one replica stops the old version first'],
  [/\.strategy\.rollingUpdate\b/, 'a new pod is ready before an old one stops'],
  [/\.revisionHistoryLimit$/, 'three earlier versions are enough for a rollback'],
  [/\.scaleDown\b/, 'it follows from processing.maxDuration'],
  [/\.lifecycle\b/, 'requests still arrive for a moment after a pod was told to stop'],
  [/\.fsGroup(?:ChangePolicy)?$/, 'the user may read its secrets and write to its scratch space'],
  [/securityContext/, 'the restricted Pod Security Standard: not root, no privileges, no capabilities'],
  [/\.readOnly$/, 'Kubernetes mounts Secrets and ConfigMaps read-only anyway'],
]

const tables: Readonly<Record<Exclude<Verdict, 'same'>, Reasons>> = { added: ADDED, different: DIFFERENT, unsaid: UNSAID }

export const reasonFor = (verdict: Verdict, path: string): string | undefined =>
  verdict === 'same' ? undefined : tables[verdict].find(([pattern]) => pattern.test(path))?.[1]
