// Checks that need the platform or the namespace, or that CEL can't express within the API server's limits.
import type { Spec } from '../../claim/checks.ts'
import { type Finding, formatPath, type Path } from '../../claim/findings.ts'
import { wrongPorts } from '../../claim/ports.ts'
import type { MeshPlatform, Platform } from '../../platform/platform.ts'
import { PLAIN_PORT } from './external.ts'

type MeshSpec = NonNullable<Spec['mesh']>

export function checkMesh(spec: Spec, _name: string, platform: Platform, namespace?: string): Finding[] {
  const { mesh } = spec
  if (mesh === undefined) return []
  if (platform.mesh === undefined) {
    const problem = "is not supported here: ask the platform team to install Istio and to set mesh in the function's input"
    return [{ code: 'UNSUPPORTED', path: ['spec', 'mesh'], problem }]
  }
  return [
    ...wrongHosts(mesh, platform.mesh, namespace),
    ...refusedEvents(spec, mesh, platform.mesh),
    ...samePort(mesh),
    ...wrongPorts([
      { path: ['spec', 'mesh', 'canary', 'image'], text: /^[^/]*(?=\/)/.exec(mesh.canary?.image ?? '')?.[0] },
      { path: ['spec', 'mesh', 'jwt', 'jwksUri'], text: mesh.jwt?.jwksUri },
      ...(mesh.cors?.origins ?? []).map((text, index) => ({ path: ['spec', 'mesh', 'cors', 'origins', index], text })),
    ]),
  ]
}

function wrongHosts({ hosts = [] }: MeshSpec, { gateway, hostSuffixes }: MeshPlatform, namespace: string | undefined): Finding[] {
  if (hosts.length > 0 && gateway === undefined) {
    const problem = "is not supported here: ask the platform team to set mesh.gateway in the function's input"
    return [{ code: 'UNSUPPORTED', path: ['spec', 'mesh', 'hosts'], problem }]
  }
  if (hostSuffixes === undefined) return []
  const suffixes = hostSuffixes.map(suffix => (namespace === undefined ? suffix : suffix.replaceAll('{namespace}', namespace)))
  return hosts.flatMap((host, index): Finding[] => {
    if (suffixes.some(suffix => endsWith(host, suffix))) return []
    const problem = `must end with one of [${suffixes.join(', ')}], the hosts of this platform`
    return [{ code: 'NOT_ALLOWED', path: ['spec', 'mesh', 'hosts', index], problem, found: host }]
  })
}

/** At a dot, so that nobody takes `notshop.example.com` for `shop.example.com`. A file may leave the namespace open. */
function endsWith(host: string, suffix: string): boolean {
  const [end = '', ...others] = suffix.split('{namespace}').reverse()
  if (others.length > 0) return host.endsWith(end)
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`)
}

/** Knative Eventing has no token, and is no caller of the claim's list. */
function refusedEvents({ eventing, runtime }: Spec, { callers, jwt }: MeshSpec, { eventingPrincipals = [] }: MeshPlatform): Finding[] {
  const { triggers = [], kafka } = eventing ?? {}
  const source: Path | undefined =
    triggers.length > 0 ? ['spec', 'eventing', 'triggers'] : kafka?.sink === 'workload' ? ['spec', 'eventing', 'kafka'] : undefined
  if (source === undefined) return []
  const asked = jwt?.required === true
  if (runtime === 'Knative') {
    if (!asked) return []
    const problem = `must not be true with runtime Knative and ${formatPath(source)}: events have no token, and Knative's activator hides who sends them`
    return [{ code: 'CONFLICT', path: ['spec', 'mesh', 'jwt', 'required'], problem, found: true }]
  }
  if (eventingPrincipals.length > 0) return []
  const problem = `would refuse the events of ${formatPath(source)}: ask the platform team to list their senders under mesh.eventingPrincipals in the function's input`
  return [
    ...(callers === undefined ? [] : [{ code: 'UNSUPPORTED', path: ['spec', 'mesh', 'callers'], problem } as const]),
    ...(asked ? [{ code: 'UNSUPPORTED', path: ['spec', 'mesh', 'jwt'], problem } as const] : []),
  ]
}

/** The container calls a host at one port, whatever the sidecar does there. */
function samePort({ external = [] }: MeshSpec): Finding[] {
  const first = new Map<string, Path>()
  return external.flatMap(({ host, port, tls }, index): Finding[] => {
    const path = ['spec', 'mesh', 'external', index]
    const called = `${host}:${tls === 'originate' ? PLAIN_PORT : port}`
    const before = first.get(called)
    if (before === undefined) {
      first.set(called, path)
      return []
    }
    const problem = `must not have the same port as ${formatPath(before)}: the container calls both as http://${host}`
    return [{ code: 'DUPLICATE', path: [...path, 'tls'], problem, found: tls }]
  })
}
