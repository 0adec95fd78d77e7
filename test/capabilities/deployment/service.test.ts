import { describe, expect, test } from 'vitest'
import { httpService, service } from '../../../src/capabilities/deployment/service.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { resolvedClaim } from '../../fixtures/resolved-claim.ts'

const labels = {
  'app.kubernetes.io/name': 'orders-worker',
  'app.kubernetes.io/component': 'event-driven-worker',
  'app.kubernetes.io/managed-by': 'crossplane',
}
const selector = { 'app.kubernetes.io/name': 'orders-worker' }

describe('the Service of the claim’s name', () => {
  test.each<{ says: string; spec: JsonObject }>([
    { says: 'no port', spec: {} },
    { says: 'another port', spec: { httpPort: 3000 } },
  ])('leads from 8080 to the port http, with $says', ({ spec }) => {
    expect(service.build(resolvedClaim(spec), 'new')).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'orders-worker', namespace: 'shop', labels },
      spec: { type: 'ClusterIP', selector, ports: [{ name: 'http', port: 8080, targetPort: 'http', protocol: 'TCP' }] },
    })
  })
})

describe('the Service <name>-http', () => {
  test.each<{ says: string; spec: JsonObject; port: number; sessionAffinity: string }>([
    { says: 'a port', spec: { httpPort: 3000 }, port: 3000, sessionAffinity: 'None' },
    { says: 'the port that is the default', spec: { httpPort: 8080 }, port: 8080, sessionAffinity: 'None' },
    {
      says: 'clients that stay with their pod',
      spec: { httpPort: 80, sessionAffinity: 'ClientIP' },
      port: 80,
      sessionAffinity: 'ClientIP',
    },
  ])('is there for $says', ({ spec, port, sessionAffinity }) => {
    expect(httpService.build(resolvedClaim(spec), 'new')).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'orders-worker-http', namespace: 'shop', labels },
      spec: { type: 'ClusterIP', sessionAffinity, selector, ports: [{ name: 'http', port, targetPort: 'http', protocol: 'TCP' }] },
    })
  })

  test.each<{ says: string; spec: JsonObject }>([
    { says: 'no port', spec: {} },
    { says: 'session affinity alone', spec: { sessionAffinity: 'ClientIP' } },
  ])('is omitted for $says', ({ spec }) => expect(httpService.build(resolvedClaim(spec), 'new')).toBeUndefined())
})

test.each([{ resource: service }, { resource: httpService }])('$resource.key is ready as soon as it is there', ({ resource }) => {
  expect(resource.ready({ kind: 'Service', metadata: { name: 'a' } }, resolvedClaim())).toEqual({
    ready: true,
    reason: 'Created',
    message: 'Service a exists.',
  })
  expect(resource.readyCondition).toBeUndefined()
})
