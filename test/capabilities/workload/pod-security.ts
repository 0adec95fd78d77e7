// The restricted Pod Security Standard, from its text: https://kubernetes.io/docs/concepts/security/pod-security-standards/
// Every line of the tables Baseline and Restricted that a pod of Linux can break.
import { at, isObject, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'

const volumeTypes = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']
const seLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']
const sysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]
const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const
const hooks = [['livenessProbe'], ['readinessProbe'], ['startupProbe'], ['lifecycle', 'postStart'], ['lifecycle', 'preStop']] as const

const items = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])

/** What of a pod template the restricted standard forbids; nothing for a pod that it admits. */
export function violations(template: JsonObject): string[] {
  const pod = at(template, 'spec')
  const found: string[] = []
  const forbid = (broken: boolean, field: string) => {
    if (broken) found.push(field)
  }
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) forbid(at(pod, field) === true, field)
  for (const volume of items(at(pod, 'volumes')))
    forbid(isObject(volume) && !Object.keys(volume).every(type => type === 'name' || volumeTypes.includes(type)), 'volumes')
  for (const sysctl of items(at(pod, 'securityContext', 'sysctls'))) forbid(!sysctls.includes(String(at(sysctl, 'name'))), 'sysctls')
  const annotations = at(template, 'metadata', 'annotations')
  for (const [name, value] of Object.entries(isObject(annotations) ? annotations : {}))
    forbid(
      name.startsWith('container.apparmor.security.beta.kubernetes.io/') && !/^(runtime\/default|localhost\/.*)$/.test(String(value)),
      'AppArmor annotation',
    )
  context(at(pod, 'securityContext'), 'pod', forbid)
  for (const list of lists)
    for (const container of items(at(pod, list)))
      judgeContainer(container, at(pod, 'securityContext'), `${list}.${at(container, 'name')}`, forbid)
  return found
}

type Forbid = (broken: boolean, field: string) => void

/** The fields that pods and containers share. */
function context(security: Json | undefined, where: string, forbid: Forbid): void {
  forbid(at(security, 'windowsOptions', 'hostProcess') === true, `${where}: hostProcess`)
  forbid(!seLinuxTypes.includes(String(at(security, 'seLinuxOptions', 'type') ?? '')), `${where}: seLinuxOptions.type`)
  forbid((at(security, 'seLinuxOptions', 'user') ?? '') !== '', `${where}: seLinuxOptions.user`)
  forbid((at(security, 'seLinuxOptions', 'role') ?? '') !== '', `${where}: seLinuxOptions.role`)
  forbid(
    !['RuntimeDefault', 'Localhost'].includes(String(at(security, 'appArmorProfile', 'type') ?? 'RuntimeDefault')),
    `${where}: appArmorProfile`,
  )
  forbid(at(security, 'runAsUser') === 0, `${where}: runAsUser`)
}

function judgeContainer(container: Json, pod: Json | undefined, where: string, forbid: Forbid): void {
  const security = at(container, 'securityContext')
  context(security, where, forbid)
  forbid(at(security, 'privileged') === true, `${where}: privileged`)
  forbid(at(security, 'allowPrivilegeEscalation') !== false, `${where}: allowPrivilegeEscalation`)
  forbid((at(security, 'procMount') ?? 'Default') !== 'Default', `${where}: procMount`)
  forbid((at(security, 'runAsNonRoot') ?? at(pod, 'runAsNonRoot')) !== true, `${where}: runAsNonRoot`)
  const seccomp = at(security, 'seccompProfile', 'type') ?? at(pod, 'seccompProfile', 'type')
  forbid(!['RuntimeDefault', 'Localhost'].includes(String(seccomp)), `${where}: seccompProfile`)
  forbid(!items(at(security, 'capabilities', 'drop')).includes('ALL'), `${where}: capabilities.drop`)
  forbid(!items(at(security, 'capabilities', 'add')).every(added => added === 'NET_BIND_SERVICE'), `${where}: capabilities.add`)
  for (const port of items(at(container, 'ports'))) forbid((at(port, 'hostPort') ?? 0) !== 0, `${where}: hostPort`)
  for (const hook of hooks)
    for (const way of ['httpGet', 'tcpSocket'])
      forbid((at(container, ...hook, way, 'host') ?? '') !== '', `${where}: ${hook.join('.')}.${way}.host`)
}
