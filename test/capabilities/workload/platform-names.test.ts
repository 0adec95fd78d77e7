// What a claim may name is in the function's input.
import { describe, expect, test } from 'vitest'
import { deployment } from '../../../src/capabilities/deployment/deployment.ts'
import { scaledObject } from '../../../src/capabilities/keda/scaled-object.ts'
import { sentence } from '../../../src/claim/findings.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { parsePlatform } from '../../../src/platform/platform.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { claim } from '../../fixtures/claims.ts'

const main = { url: 'tls://main:4222', monitoringEndpoint: 'main:8443', account: 'MAIN', useHttps: true }
const edge = { url: 'nats://edge:4222', monitoringEndpoint: 'edge:8222' }

function parse(spec: JsonObject, input: JsonObject = {}) {
  const platform = parsePlatform({ apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', ...input })
  if (!platform.ok) throw new Error(platform.findings.map(sentence).join())
  return parseClaim(claim(spec), platform.platform)
}

const nats = (more: JsonObject) => ({ nats: { stream: 'S', consumer: 'C', ...more } })
const problems = (parsed: ReturnType<typeof parse>) =>
  parsed.ok ? [] : parsed.findings.map(finding => `${sentence(finding)} [${finding.code}]`)

describe('nats.server', () => {
  const input = { natsServers: { main, edge }, defaults: { nats: { account: 'ALL', url: 'nats://all:4222' } } }

  test.each<{ says: string; asked: JsonObject; is: JsonObject; https: string | undefined }>([
    {
      says: 'gives all that the server has',
      asked: { server: 'main' },
      is: { url: main.url, account: 'MAIN', endpoint: 'main:8443' },
      https: 'true',
    },
    {
      says: 'leaves the rest to the defaults',
      asked: { server: 'edge' },
      is: { url: edge.url, account: 'ALL', endpoint: 'edge:8222' },
      https: undefined,
    },
    {
      says: "gives way to the claim's account",
      asked: { server: 'main', account: 'MINE' },
      is: { url: main.url, account: 'MINE', endpoint: 'main:8443' },
      https: 'true',
    },
    {
      says: 'does nothing if the claim names none',
      asked: {},
      is: { url: 'nats://all:4222', account: 'ALL', endpoint: 'nats-headless.nats.svc.cluster.local:8222' },
      https: undefined,
    },
  ])('$says', ({ asked, is, https }) => {
    const parsed = parse(nats(asked), input)
    if (!parsed.ok) throw new Error(problems(parsed).join())
    const { url, account, monitoringEndpoint } = parsed.claim.nats ?? {}
    expect({ url, account, endpoint: monitoringEndpoint }).toEqual(is)
    const trigger = at(scaledObject.build(parsed.claim, 'new'), 'spec', 'triggers', 0, 'metadata')
    expect(at(trigger, 'natsServerMonitoringEndpoint')).toBe(is.endpoint)
    expect(at(trigger, 'useHttps')).toBe(https)
  })

  test('must be one of the platform’s', () => {
    expect(problems(parse(nats({ server: 'mian' }), input))).toEqual([
      "spec.nats.server: must be one of [edge, main], got 'mian', did you mean 'main'? [NOT_ALLOWED]",
    ])
    expect(problems(parse(nats({ server: 'constructor' }), input))).toEqual([
      "spec.nats.server: must be one of [edge, main], got 'constructor' [NOT_ALLOWED]",
    ])
    expect(problems(parse(nats({ server: 'main' })))).toEqual([
      "spec.nats.server: is not supported here: set nats.url and nats.monitoringEndpoint, or ask the platform team to list the server under natsServers in the function's input [UNSUPPORTED]",
    ])
  })

  test('must have the address of its monitoring', () => {
    const input = { apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', natsServers: { main: { url: 'nats://a:1' } } }
    expect(parsePlatform(input)).toMatchObject({
      ok: false,
      findings: [{ code: 'REQUIRED', path: ['natsServers', 'main', 'monitoringEndpoint'] }],
    })
  })
})

describe('priority', () => {
  const input = { priorities: { high: 'shop-critical' } }

  test('gives the PriorityClass of the platform', () => {
    const parsed = parse({ priority: 'high' }, input)
    expect(parsed.ok && at(deployment.build(parsed.claim, 'new'), 'spec', 'template', 'spec', 'priorityClassName')).toBe('shop-critical')
  })

  test('must be one of the platform’s, and is not supported if there are none', () => {
    expect(problems(parse({ priority: 'low' }, input))).toEqual(["spec.priority: must be one of [high], got 'low' [NOT_ALLOWED]"])
    expect(problems(parse({ priority: 'low' }))).toEqual([
      "spec.priority: is not supported here: ask the platform team to name a PriorityClass under priorities.low in the function's input, got 'low' [UNSUPPORTED]",
    ])
  })
})
