import { describe, expect, test } from 'vitest'
import { probes } from '../../../src/capabilities/workload/probes.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { resolvedClaim } from '../../fixtures/resolved-claim.ts'

const rendered = (asked: JsonObject) => probes(resolvedClaim({ probes: asked }), 'http')

describe('a probe', () => {
  test.each<{ says: string; asked: JsonObject; is: JsonObject | undefined }>([
    { says: 'a path', asked: { path: '/alive' }, is: { httpGet: { path: '/alive', port: 'http' } } },
    { says: 'a command', asked: { exec: ['/app/alive', '-q'] }, is: { exec: { command: ['/app/alive', '-q'] } } },
    { says: 'a port', asked: { tcp: 6379 }, is: { tcpSocket: { port: 6379 } } },
    { says: 'none', asked: { none: true }, is: undefined },
  ])('by $says', ({ asked, is }) => {
    const timing = { initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }
    expect(at(rendered({ liveness: asked }), 'livenessProbe')).toEqual(is && { ...is, ...timing })
    const ofReadiness = { initialDelaySeconds: 5, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }
    expect(at(rendered({ readiness: asked }), 'readinessProbe')).toEqual(is && { ...is, ...ofReadiness })
  })

  test('has the timing that the claim asks for', () => {
    expect(at(rendered({ liveness: { path: '/', period: '1m30s', failures: 7 } }), 'livenessProbe')).toMatchObject({
      periodSeconds: 90,
      failureThreshold: 7,
      timeoutSeconds: 5,
    })
  })

  test.each([
    { within: '1s', failures: 1 },
    { within: '5s', failures: 1 },
    { within: '6s', failures: 2 },
    { within: '5m', failures: 60 },
    { within: '1h', failures: 720 },
  ])('of a start within $within fails $failures times', ({ within, failures }) => {
    expect(at(rendered({ startup: { tcp: 1, within } }), 'startupProbe')).toEqual({
      tcpSocket: { port: 1 },
      periodSeconds: 5,
      timeoutSeconds: 5,
      failureThreshold: failures,
    })
  })

  test('that the claim does not mention keeps its path', () => {
    const { livenessProbe, readinessProbe, startupProbe } = rendered({ readiness: { none: true } })
    expect([at(livenessProbe, 'httpGet', 'path'), readinessProbe, startupProbe]).toEqual(['/health', undefined, undefined])
  })
})

test('names no port with Knative, but a port that is asked for', () => {
  const claim = resolvedClaim({ runtime: 'Knative', probes: { liveness: { path: '/a' }, readiness: { tcp: 9000 } } })
  expect(at(probes(claim), 'livenessProbe', 'httpGet')).toEqual({ path: '/a' })
  expect(at(probes(claim), 'readinessProbe', 'tcpSocket')).toEqual({ port: 9000 })
})
