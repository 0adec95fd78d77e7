// Fields that nobody wrote: what the API server fills in, and what controllers write.

import { kedaDefaults } from '../capabilities/deployment/import.ts'
import type { Json } from '../kubernetes/json.ts'

/** Written by the cluster. Paths begin with the kind. */
const OF_THE_CLUSTER: readonly RegExp[] = [
  /^\w+\.(?:status|apiVersion|kind|secrets)$/,
  /^\w+\.metadata\.(?:name|namespace|uid|resourceVersion|generation|creationTimestamp|managedFields|finalizers|ownerReferences|selfLink)$/,
  /^\w+\.metadata\.annotations\["(?:kubectl\.kubernetes\.io\/last-applied-configuration|deployment\.kubernetes\.io\/revision|autoscaling\.keda\.sh\/paused)"\]$/,
  /^\w+\.metadata\.annotations\["crossplane\.io\//,
  /^\w+\.metadata\.labels\["(?:crossplane\.io\/|scaledobject\.keda\.sh\/name)/,
  // KEDA owns the count.
  /^Deployment\.spec\.replicas$/,
  /^Deployment\.spec\.template\.metadata\.creationTimestamp$/,
  /^Deployment\.spec\.template\.metadata\.annotations\["kubectl\.kubernetes\.io\/restartedAt"\]$/,
  /^Deployment\.spec\.template\.spec\.serviceAccount$/,
  /^\w+\.metadata\.annotations\["(?:serving|eventing|client)\.knative\.dev\/(?:creator|lastModifier)"\]$/,
  // Knative fills in the port of a probe, and has its own default for service links.
  /^KnativeService\.spec\.template\.(?:metadata\.creationTimestamp|spec\.enableServiceLinks)$/,
  /^KnativeService\..*(?:\.containers\[\d+\]\.name|\.httpGet\.(?:port|scheme))$/,
  /^Service\.spec\.(?:clusterIPs|ipFamilies|ipFamilyPolicy|internalTrafficPolicy)$/,
]

const STANDARDS: readonly (readonly [RegExp, Json])[] = [
  [/^Deployment\.spec\.progressDeadlineSeconds$/, 600],
  [/^Deployment\.spec\.revisionHistoryLimit$/, 10],
  [/^Deployment\.spec\.minReadySeconds$/, 0],
  [/^Deployment\.spec\.strategy\.type$/, 'RollingUpdate'],
  [/^Deployment\.spec\.strategy\.rollingUpdate\.max(?:Surge|Unavailable)$/, '25%'],
  [/\.spec\.dnsPolicy$/, 'ClusterFirst'],
  [/\.spec\.restartPolicy$/, 'Always'],
  [/\.spec\.schedulerName$/, 'default-scheduler'],
  [/\.spec\.terminationGracePeriodSeconds$/, 30],
  [/\.spec\.enableServiceLinks$/, true],
  [/(?:^ServiceAccount|\.spec)\.automountServiceAccountToken$/, true],
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
  [/^Service\.spec\.type$/, 'ClusterIP'],
  [/^Service\.spec\.sessionAffinity$/, 'None'],
  [/^Service\.spec\.publishNotReadyAddresses$/, false],
  [/^ScaledObject\.spec\.scaleTargetRef\.apiVersion$/, 'apps/v1'],
  [/^ScaledObject\.spec\.scaleTargetRef\.kind$/, 'Deployment'],
  [/^ScaledObject\.spec\.triggers\[\d+\]\.metadata\.useHttps$/, 'false'],
  ...Object.entries(kedaDefaults).map(
    ([field, value]) => [new RegExp(`^ScaledObject\\.spec\\..*\\b${field}$|^ScaledObject\\.spec\\.${field}$`), value] as const,
  ),
]

/** Whether the cluster, and not the author, writes a path such as `Deployment.spec.replicas`. */
export const isOfTheCluster = (path: string): boolean => OF_THE_CLUSTER.some(pattern => pattern.test(path))

/** The default of a path. */
export const standardOf = (path: string): Json | undefined => STANDARDS.find(([pattern]) => pattern.test(path))?.[1]
