import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../../../src/kubernetes/json.ts'
import { put } from '../../fixtures/claims.ts'
import { violations } from './pod-security.ts'

const good: JsonObject = {
  metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': 'runtime/default' } },
  spec: {
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
      sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }],
    },
    volumes: [
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: {} },
    ],
    containers: [
      {
        name: 'main',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
        ports: [{ containerPort: 80 }],
        livenessProbe: { httpGet: { path: '/', port: 80 } },
      },
    ],
  },
}
const main = ['spec', 'containers', 0]
const security = [...main, 'securityContext']

test('a pod that keeps the standard has no violation', () => expect(violations(good)).toEqual([]))

describe('the checker itself sees', () => {
  test.each<{ path: (string | number)[]; value: Json | undefined; finds: string }>([
    { path: ['spec', 'hostNetwork'], value: true, finds: 'hostNetwork' },
    { path: ['spec', 'hostPID'], value: true, finds: 'hostPID' },
    { path: ['spec', 'hostIPC'], value: true, finds: 'hostIPC' },
    { path: ['spec', 'volumes'], value: [{ name: 'a', hostPath: { path: '/' } }], finds: 'volumes' },
    { path: ['spec', 'securityContext', 'sysctls'], value: [{ name: 'kernel.msgmax', value: '1' }], finds: 'sysctls' },
    {
      path: ['metadata', 'annotations'],
      value: { 'container.apparmor.security.beta.kubernetes.io/main': 'unconfined' },
      finds: 'AppArmor annotation',
    },
    { path: ['spec', 'securityContext', 'runAsNonRoot'], value: undefined, finds: 'containers.main: runAsNonRoot' },
    { path: ['spec', 'securityContext', 'runAsUser'], value: 0, finds: 'pod: runAsUser' },
    { path: ['spec', 'securityContext', 'seccompProfile'], value: undefined, finds: 'containers.main: seccompProfile' },
    { path: ['spec', 'securityContext', 'seLinuxOptions'], value: { type: 'spc_t' }, finds: 'pod: seLinuxOptions.type' },
    { path: ['spec', 'securityContext', 'appArmorProfile'], value: { type: 'Unconfined' }, finds: 'pod: appArmorProfile' },
    { path: ['spec', 'securityContext', 'windowsOptions'], value: { hostProcess: true }, finds: 'pod: hostProcess' },
    { path: [...security, 'runAsNonRoot'], value: false, finds: 'containers.main: runAsNonRoot' },
    { path: [...security, 'runAsUser'], value: 0, finds: 'containers.main: runAsUser' },
    { path: [...security, 'seccompProfile'], value: { type: 'Unconfined' }, finds: 'containers.main: seccompProfile' },
    { path: [...security, 'privileged'], value: true, finds: 'containers.main: privileged' },
    { path: [...security, 'allowPrivilegeEscalation'], value: undefined, finds: 'containers.main: allowPrivilegeEscalation' },
    { path: [...security, 'procMount'], value: 'Unmasked', finds: 'containers.main: procMount' },
    { path: [...security, 'capabilities'], value: { drop: ['NET_RAW'] }, finds: 'containers.main: capabilities.drop' },
    { path: [...security, 'capabilities'], value: { drop: ['ALL'], add: ['SYS_ADMIN'] }, finds: 'containers.main: capabilities.add' },
    { path: [...security, 'seLinuxOptions'], value: { user: 'system_u' }, finds: 'containers.main: seLinuxOptions.user' },
    { path: [...security, 'seLinuxOptions'], value: { role: 'system_r' }, finds: 'containers.main: seLinuxOptions.role' },
    { path: [...main, 'ports'], value: [{ containerPort: 80, hostPort: 80 }], finds: 'containers.main: hostPort' },
    { path: [...main, 'livenessProbe', 'httpGet', 'host'], value: '10.0.0.1', finds: 'containers.main: livenessProbe.httpGet.host' },
    {
      path: [...main, 'lifecycle'],
      value: { preStop: { tcpSocket: { host: 'a' } } },
      finds: 'containers.main: lifecycle.preStop.tcpSocket.host',
    },
  ])('$finds', ({ path, value, finds }) => {
    expect(violations(put(good, path, value) as JsonObject)).toEqual([finds])
  })

  test('an init container as well', () => {
    expect(violations(put(good, ['spec', 'initContainers'], [{ name: 'init' }]) as JsonObject)).toEqual([
      'initContainers.init: allowPrivilegeEscalation',
      'initContainers.init: capabilities.drop',
    ])
  })
})
