// The probes of a container that a claim can express.
import type { Probe, ResolvedClaim, Runtime } from '../claim/resolved-claim.ts'
import { at, type Json, type JsonObject } from '../kubernetes/json.ts'
import { definedFields, durationText, unlessDefault } from './fields.ts'
import { portNumber } from './port-number.ts'

/** The longest period, and the longest time to start, that a claim may have. */
const LONGEST_SECONDS = 3600
const MOST_FAILURES = 1000

/** What Kubernetes does if a probe says nothing. Knative has timing of its own, which no manifest shows. */
const unset = { period: 10, failures: 3 } as const

/** healthPath, readyPath and probes. `port` is the claim's HTTP port. */
export function probeFields(main: Json | undefined, { probes, runtime }: ResolvedClaim, port: Json): JsonObject {
  const read = (name: 'liveness' | 'readiness', given: Json | undefined, standard: Probe | undefined, short: string): JsonObject => {
    if (given === undefined) return { probes: { [name]: { none: true } } }
    const handler = handlerOf(given, main, port)
    const timing = timingOf(given, runtime, standard)
    const path = at(handler, 'path')
    if (path === undefined || Object.keys(timing).length > 0) return { probes: { [name]: { ...handler, ...timing } } }
    return definedFields({ [short]: unlessDefault(pathIn(standard), path) })
  }
  const liveness = read('liveness', at(main, 'livenessProbe'), probes.liveness, 'healthPath')
  const readiness = read('readiness', at(main, 'readinessProbe') ?? assumed[runtime], probes.readiness, 'readyPath')
  const all = { ...startupOf(main, port), ...probesIn(liveness), ...probesIn(readiness) }
  return { ...liveness, ...readiness, ...(Object.keys(all).length > 0 && { probes: all }) }
}

const probesIn = ({ probes }: JsonObject) => (typeof probes === 'object' ? probes : {})

/** Knative sends requests as soon as the port is open: https://knative.dev/docs/serving/services/configure-probing/ */
const assumed: Readonly<Record<Runtime, Json | undefined>> = { Deployment: undefined, Knative: { tcpSocket: {} } }

function startupOf(main: Json | undefined, port: Json): JsonObject {
  const given = at(main, 'startupProbe')
  if (given === undefined) return {}
  const within = count(at(given, 'periodSeconds'), unset.period) * count(at(given, 'failureThreshold'), unset.failures)
  return { startup: { ...handlerOf(given, main, port), within: durationText(Math.min(within, LONGEST_SECONDS)) } }
}

/** A claim can ask only the HTTP port for a path, and that without TLS. Whether another port is open, it can ask over TCP. */
function handlerOf(given: Json, main: Json | undefined, port: Json): JsonObject {
  const command = at(given, 'exec', 'command')
  if (command !== undefined) return { exec: command }
  const request = at(given, 'httpGet')
  const asked = portNumber(at(request ?? at(given, 'tcpSocket') ?? at(given, 'grpc'), 'port'), main) || port
  if (request !== undefined && asked === port && at(request, 'scheme') !== 'HTTPS') return { path: at(request, 'path') ?? '/' }
  return { tcp: asked }
}

function timingOf(given: Json, runtime: Runtime, standard: Probe | undefined): JsonObject {
  const otherwise = runtime === 'Deployment' ? unset : standard
  const period = at(given, 'periodSeconds') ?? otherwise?.period
  const failures = at(given, 'failureThreshold') ?? otherwise?.failures
  return {
    ...(typeof period === 'number' && period !== standard?.period && { period: durationText(Math.min(period, LONGEST_SECONDS)) }),
    ...(typeof failures === 'number' && failures !== standard?.failures && { failures: Math.min(failures, MOST_FAILURES) }),
  }
}

const count = (value: Json | undefined, otherwise: number) => (typeof value === 'number' ? value : otherwise)

const pathIn = (probe: Probe | undefined) => (probe && 'path' in probe.handler ? probe.handler.path : '')
