// Fields that nobody wrote: what the API server and its webhooks fill in, and what controllers write.
import { kedaDefaults } from '../capabilities/deployment/import.ts'
import { at, type Json } from '../kubernetes/json.ts'

/** The value without an author, or a test of it if the cluster may choose. */
type Default = Json | ((value: Json | undefined) => boolean)

interface Filled {
  /** The cluster owns these fields, whatever their value. Paths are those of `formatPath`. */
  readonly owned: readonly RegExp[]
  readonly defaults: readonly (readonly [RegExp, Default])[]
}

const everyKind: Filled = {
  owned: [
    /^(?:status|apiVersion|kind)$/,
    /^metadata\.(?:name|namespace|uid|resourceVersion|generation|creationTimestamp|managedFields|finalizers|ownerReferences|selfLink)$/,
    /^metadata\.annotations\["kubectl\.kubernetes\.io\/last-applied-configuration"\]$/,
    /^metadata\.(?:annotations|labels)\["crossplane\.io\//,
  ],
  defaults: [],
}

const pod: Filled = {
  owned: [/^spec\.template\.metadata\.creationTimestamp$/],
  defaults: [
    [/^spec\.template\.spec\.dnsPolicy$/, 'ClusterFirst'],
    [/^spec\.template\.spec\.restartPolicy$/, 'Always'],
    [/^spec\.template\.spec\.schedulerName$/, 'default-scheduler'],
    [/^spec\.template\.spec\.terminationGracePeriodSeconds$/, 30],
    [/^spec\.template\.spec\.automountServiceAccountToken$/, true],
    [/\.imagePullPolicy$/, () => true],
    [/\.terminationMessagePath$/, '/dev/termination-log'],
    [/\.terminationMessagePolicy$/, 'File'],
    [/\.protocol$/, 'TCP'],
    [/Probe\.successThreshold$/, 1],
    [/Probe\.initialDelaySeconds$/, 0],
    [/Probe\.periodSeconds$/, 10],
    [/Probe\.timeoutSeconds$/, 1],
    [/Probe\.failureThreshold$/, 3],
    [/Probe\.httpGet\.scheme$/, 'HTTP'],
    [/Probe\.httpGet\.path$/, '/'],
    [/\.env(?:\.\w+|\["[^"]*"\])\.value$/, ''],
    [/\.(?:secret|configMap|projected)\.defaultMode$/, 420],
    [/\.readOnlyRootFilesystem$/, false],
    [/\.privileged$/, false],
  ],
}

/** https://github.com/knative/pkg: the webhooks of Knative note who wrote an object. */
const knative: Filled = {
  owned: [/^metadata\.annotations\["(?:serving|eventing|sources)\.knative\.dev\/(?:creator|lastModifier)"\]$/],
  defaults: [],
}

const kinds: Readonly<Record<string, readonly Filled[]>> = {
  Deployment: [
    pod,
    {
      owned: [
        // KEDA owns the count.
        /^spec\.replicas$/,
        /^metadata\.annotations\["deployment\.kubernetes\.io\/revision"\]$/,
        // The function notes here which count it set last.
        /^metadata\.annotations\["platform\.bizmatters\.io\/replicas"\]$/,
        /^spec\.template\.metadata\.annotations\["kubectl\.kubernetes\.io\/restartedAt"\]$/,
        /^spec\.template\.spec\.serviceAccount$/,
      ],
      defaults: [
        [/^spec\.progressDeadlineSeconds$/, 600],
        [/^spec\.revisionHistoryLimit$/, 10],
        [/^spec\.minReadySeconds$/, 0],
        [/^spec\.strategy\.type$/, 'RollingUpdate'],
        [/^spec\.strategy\.rollingUpdate\.max(?:Surge|Unavailable)$/, '25%'],
        [/^spec\.template\.spec\.enableServiceLinks$/, true],
      ],
    },
  ],
  Service: [
    {
      owned: [/^spec\.(?:clusterIPs|ipFamilies|ipFamilyPolicy|internalTrafficPolicy)$/],
      defaults: [
        // The cluster chooses the address. A headless Service is different.
        [/^spec\.clusterIP$/, value => value !== 'None'],
        [/^spec\.type$/, 'ClusterIP'],
        [/^spec\.sessionAffinity$/, 'None'],
        [/^spec\.publishNotReadyAddresses$/, false],
        [/\.protocol$/, 'TCP'],
      ],
    },
  ],
  ServiceAccount: [{ owned: [/^secrets$/], defaults: [[/^automountServiceAccountToken$/, true]] }],
  ScaledObject: [
    {
      owned: [/^metadata\.annotations\["autoscaling\.keda\.sh\/paused"\]$/, /^metadata\.labels\["scaledobject\.keda\.sh\/name"\]$/],
      defaults: [
        [/^spec\.scaleTargetRef\.apiVersion$/, 'apps/v1'],
        [/^spec\.scaleTargetRef\.kind$/, 'Deployment'],
        [/^spec\.triggers\[\d+\]\.metadata\.useHttps$/, 'false'],
        [/\.behavior\.scaleDown\.stabilizationWindowSeconds$/, 300],
        ...Object.entries(kedaDefaults).map(([field, value]) => [new RegExp(`^spec\\.(?:.*\\.)?${field}$`), value] as const),
      ],
    },
  ],
  KnativeService: [
    pod,
    knative,
    {
      owned: [
        // The default is a setting of the cluster.
        /^spec\.template\.spec\.enableServiceLinks$/,
        // Knative probes the only port.
        /\.httpGet\.port$/,
        /\.tcpSocket\.port$/,
        /\.containers\[\d+\]\.name$/,
        /^spec\.template\.metadata\.annotations\["client\.knative\.dev\/(?:user-image|updateTimestamp)"\]$/,
      ],
      // Knative sends requests as soon as the port is open.
      defaults: [[/\.containers\[\d+\]\.readinessProbe$/, value => at(value, 'tcpSocket') !== undefined]],
    },
  ],
  Broker: [knative, { owned: [], defaults: [[/^spec\.config$/, value => at(value, 'name') === 'config-br-default-channel']] }],
  Trigger: [knative, { owned: [/^metadata\.labels\["eventing\.knative\.dev\/broker"\]$/], defaults: [] }],
  KafkaSource: [
    knative,
    {
      owned: [],
      defaults: [
        [/^spec\.consumers$/, 1],
        [/^spec\.initialOffset$/, 'latest'],
        [/^spec\.ordering$/, 'ordered'],
      ],
    },
  ],
}

/** The defaults that the cluster adds to a kind. Knative's Service is called KnativeService. */
export function filledIn(kind: string) {
  const all = [everyKind, ...(Object.hasOwn(kinds, kind) ? (kinds[kind] ?? []) : [])]
  const owned = all.flatMap(filled => filled.owned)
  const defaults = all.flatMap(filled => filled.defaults)
  const standardOf = (path: string) => defaults.find(([pattern]) => pattern.test(path))?.[1]
  return {
    /** Whether the cluster, and not the author, sets a field such as `spec.replicas`. */
    owns: (path: string): boolean => owned.some(pattern => pattern.test(path)),
    /** Whether the field has this value if the author leaves it out. */
    isDefault(path: string, value: Json | undefined): boolean {
      const standard = standardOf(path)
      return typeof standard === 'function' ? standard(value) : value === standard
    },
    /** Whether the cluster may have filled in the value, and no other. */
    isFilledIn(path: string, value: Json | undefined): boolean {
      const standard = standardOf(path)
      return standard !== undefined && typeof standard !== 'function' && value === standard
    },
  }
}
