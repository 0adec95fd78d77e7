// Judges what claims in a mesh render by the CRDs of Istio and of the Gateway API, by istiod's validation, and by all analyzers
// of `istioctl analyze`.
import { beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { goTool } from '../go-tools.ts'
import { analyze, judge, type Message, type Verdict } from './witness.ts'
import { type Case, clusterOf, generated, isOfMesh, lineOf, ofExamples } from './world.ts'

const GENERATED = 500

beforeAll(async () => {
  const started = Date.now()
  await goTool('mesh/witness')
  console.log(`The witness was ready after ${Math.round((Date.now() - started) / 1000)} s.`)
})

const sources = [
  { says: 'all examples', cases: ofExamples },
  { says: `${GENERATED} generated claims`, cases: () => generated(GENERATED) },
]

const UNKNOWN: Verdict = { known: false, istiod: false }

/** A limit for each pod has no other API. */
const ALLOWED_WARNINGS: Readonly<Record<string, string>> = {
  EnvoyFilter:
    'EnvoyFilter exposes internal implementation details that may change at any time. Prefer other APIs if possible, and exercise extreme caution, especially around upgrades.',
}

describe('the CRDs and istiod accept', () => {
  test.each(sources)('$says', async ({ says, cases: make }) => {
    const cases = make().map(one => ({ ...one, manifests: one.manifests.filter(isOfMesh) }))
    const verdicts = await judge(cases.map(({ manifests }) => manifests))
    const each = cases.flatMap(({ says: name, manifests }, at) =>
      manifests.map((manifest, index) => ({ name, manifest, verdict: verdicts[at]?.[index] ?? UNKNOWN })),
    )
    const problems = each.flatMap(({ name, manifest: { kind }, verdict: { known, schema, refused, warned } }) => {
      const found = [schema, refused, ALLOWED_WARNINGS[kind] === warned ? undefined : warned, known ? undefined : 'no CRD']
      return found.flatMap(problem => (problem === undefined ? [] : [`${kind}: ${problem} <- ${name}`]))
    })
    expect(problems.slice(0, 5)).toEqual([])
    const kinds = [...new Set(each.map(({ manifest }) => manifest.kind))]
    const ofIstiod = each.filter(({ verdict }) => verdict.istiod).length
    console.log(`${says}: ${each.length} objects of ${kinds.length} kinds, ${ofIstiod} judged by istiod, none refused`)
    if (cases.length === GENERATED) expect(kinds.sort()).toEqual(KINDS)
  })
})

const KINDS = [
  ...['AuthorizationPolicy', 'DestinationRule', 'EnvoyFilter', 'Gateway', 'HTTPRoute', 'ListenerSet', 'PeerAuthentication'],
  ...['RequestAuthentication', 'ServiceEntry', 'Sidecar', 'Telemetry', 'VirtualService'],
]

describe('the CRDs and istiod refuse', () => {
  const object = (kind: string, spec: object, apiVersion = 'networking.istio.io/v1') =>
    ({ apiVersion, kind, metadata: { name: 'a', namespace: 'b' }, spec }) as never

  // Proves that the witness judges.
  test.each<{ says: string; manifest: never; by: 'schema' | 'refused'; text: string }>([
    {
      says: 'an unknown value',
      manifest: object('PeerAuthentication', { mtls: { mode: 'ALWAYS' } }, 'security.istio.io/v1'),
      by: 'schema',
      text: 'Unsupported value: "ALWAYS"',
    },
    {
      says: 'a port twice, which only CEL sees',
      manifest: object('ServiceEntry', { hosts: ['a.b'], ports: ['x', 'y'].map(name => ({ number: 80, name })) }),
      by: 'schema',
      text: 'port number cannot be duplicated',
    },
    {
      says: 'a negative weight',
      manifest: object('VirtualService', { hosts: ['a.b'], http: [{ route: [{ destination: { host: 'a' }, weight: -1 }] }] }),
      by: 'refused',
      text: 'weight',
    },
  ])('$says', async ({ manifest, by, text }) => {
    const [[verdict] = []] = await judge([[manifest]])
    expect(verdict?.[by]).toContain(text)
  })
})

/** Warnings that are no fault of ours. */
const EXPECTED: readonly { readonly code: string; readonly includes: string }[] = [
  // A limit for each pod has no other API.
  { code: 'IST0133', includes: 'EnvoyFilter exposes internal implementation details' },
  // <name> and <name>-http are both HTTP, so it does not matter which of them describes the port of the pod.
  { code: 'IST0137', includes: 'using targetPort "http" but different ports' },
]

const isExpected = ({ level, code, message }: Message) =>
  level === 'Info' || EXPECTED.some(one => one.code === code && message.includes(one.includes))

const TIMES = 5

/** The messages on each world. The analyzers sometimes start before they have read a Secret, so what they say has to be said each time. */
async function analyzeAgain(worlds: readonly (readonly JsonObject[])[]): Promise<(readonly Message[])[]> {
  const messages = await analyze(worlds)
  for (let time = 1; time < TIMES; time += 1) {
    const doubtful = worlds.flatMap((_, index) => (messages[index]?.every(isExpected) ? [] : [index]))
    if (doubtful.length === 0) break
    const again = await analyze(doubtful.map(index => worlds[index] ?? []))
    for (const [at, index] of doubtful.entries()) messages[index] = again[at] ?? []
  }
  return messages
}

describe('the analyzers find no error in', () => {
  test.each(sources)('$says', async ({ says, cases: make }) => {
    const cases: readonly Case[] = make()
    const messages = await analyzeAgain(cases.map(one => clusterOf(one)))
    const all = cases.flatMap(({ says: name }, index) => (messages[index] ?? []).map((message: Message) => ({ name, message })))
    const unexpected = all.filter(({ message }) => !isExpected(message))
    const codes = all.map(({ message: { level, code } }) => `${level} ${code}`)
    const counts = [...new Set(codes)].map(code => `${codes.filter(one => one === code).length} × ${code}`)
    console.log(`${says}: ${counts.join(', ') || 'no message'}`)
    const byCode = unexpected.filter(({ message: { code } }, at) => unexpected.findIndex(other => other.message.code === code) === at)
    expect(byCode.map(({ name, message }) => `${lineOf(message)} <- ${name}`)).toEqual([])
  })
})
