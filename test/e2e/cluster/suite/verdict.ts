// Tests that the API server accepts and rejects the same claims as eds validate and the function.
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Finding } from '../../../../src/claim/findings.ts'
import { at, isObject, items, type Json, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../../src/platform/platform.ts'
import { validateClaim } from '../../../../src/reconcile/parse-claim.ts'
import { composedOf, manifestOf } from '../../../../tools/apply.ts'
import { claimFiles, root } from '../../../fixtures/claim-files.ts'
import { type ClaimDocument, claims, mutate, mutations, put } from '../../../fixtures/claims.ts'
import { ApiError } from '../api.ts'
import { createNamespace } from '../claim.ts'
import type { Setting } from './setting.ts'

const GENERATED = Number(process.env.GENERATED_CLAIMS ?? 4000)
const AT_ONCE = 8
const NAMESPACE = 'shop'
/** Its pods must meet the restricted Pod Security Standard. */
const RESTRICTED = 'restricted'
// Values that YAML may read from a word, and other unexpected values.
const unexpectedValues: readonly Json[] = [
  true,
  false,
  null,
  0,
  1,
  -1,
  511,
  0.5,
  1e21,
  1.5e-7,
  '',
  ' ',
  'yes',
  '0777',
  '1e3',
  'null',
  '~',
  '.inf',
  '2026-11-21',
  '12:30:00',
  'a'.repeat(600),
  'é'.repeat(70),
  '\u0000',
  '🙂',
  [],
  {},
  [null],
  [[]],
  { a: { b: { c: { d: { e: [1, 'x', null] } } } } },
  ['a', 'a'],
]

/** The paths of all values in a claim. */
function placesOf(value: Json | undefined, path: readonly string[] = []): string[][] {
  const below = Array.isArray(value) ? value.entries() : isObject(value) ? Object.entries(value) : []
  return [...below].flatMap(([key, inner]) => [[...path, String(key)], ...placesOf(inner, [...path, String(key)])])
}

const inSpec = (claim: ClaimDocument): string[][] => placesOf(claim.spec, ['spec'])
// The API server has its own rules for metadata, and the namespace must exist.
const settled = (claim: ClaimDocument): ClaimDocument => ({ ...claim, metadata: { ...claim.metadata, namespace: NAMESPACE } })

const valid = claims().map(settled)
const broken = fc.tuple(valid, fc.constantFrom(...mutations)).map(([claim, mutation]) => mutate(claim, mutation))
const modified = fc.tuple(valid, fc.nat(), fc.constantFrom(...unexpectedValues)).map(([claim, where, value]) => {
  const places = inSpec(claim)
  return put(claim, places[where % places.length] ?? ['spec'], value) as ClaimDocument
})
const cut = fc.tuple(valid, fc.nat()).map(([claim, where]) => {
  const places = inSpec(claim)
  return put(claim, places[where % places.length] ?? ['spec'], undefined) as ClaimDocument
})

interface Difference {
  readonly why: string
  readonly applies: (claim: JsonObject, findings: readonly Finding[]) => boolean
}

const only = (findings: readonly Finding[], of: (finding: Finding) => boolean) => findings.length > 0 && findings.every(of)
const pathOf = ({ path }: Finding) => path.join('.')

/** Claims that the API server accepts and we reject, with the reason. */
const differences: readonly Difference[] = [
  {
    why: 'names are compared across lists, past what an API server affords',
    applies: (_, findings) => only(findings, ({ code }) => code === 'DUPLICATE' || code === 'RESERVED'),
  },
  { why: 'a number inside a string', applies: (_, findings) => only(findings, ({ problem }) => problem.startsWith('must have a port')) },
  { why: 'depends on the platform', applies: (_, findings) => only(findings, ({ code }) => code === 'UNSUPPORTED') },
  { why: 'a name of two parts', applies: (_, findings) => only(findings, ({ code }) => code === 'NAME') },
  {
    why: 'filters nest and hold expressions, which no schema of Kubernetes can say',
    applies: (_, findings) => only(findings, finding => pathOf(finding).includes('.filters.')),
  },
]

const verdictOf = async ({ cluster: { api } }: Setting, claim: JsonObject): Promise<string | undefined> => {
  try {
    await api.create(claim, { dryRun: true })
    return undefined
  } catch (error) {
    if (error instanceof ApiError && [400, 404, 422].includes(error.code)) return error.message
    throw error
  }
}

export function sameVerdict(given: () => Setting): void {
  describe('the same verdict from the API server', () => {
    beforeAll(async () => {
      const { cluster } = given()
      const named = claimFiles.flatMap(({ text }) =>
        [...text.matchAll(/^ +namespace: *["']?([a-z0-9-]+)["']?$/gm)].map(([, name = '']) => name),
      )
      for (const name of new Set([NAMESPACE, ...named])) await createNamespace(cluster, name)
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
      await cluster.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: RESTRICTED, labels } })
    })

    // The comments of a file apply to the flavour with claims, because Crossplane's fields differ in the other.
    test('for every file of test/fixtures/claims and examples, with kubectl', async () => {
      const { cluster, flavour } = given()
      const here = claimFiles.filter(({ name }) => name.startsWith('test/') || name.endsWith('-claim.yaml'))
      const output = await cluster
        .kubectl(['create', '--dry-run=server', '-v=0', ...here.flatMap(({ name }) => ['-f', `${root}${name}`])])
        .catch(error => String(error))
      const wrong = here.flatMap(({ name, valid, differs }) => {
        const about = output.split('\n').filter(line => line.includes(`${name}"`) || line.includes(`${name}:`))
        // Some of the examples are applied already.
        const refused = about.some(line => !line.includes('(AlreadyExists)'))
        const differing = flavour === 'namespaced' && /\/machinery-/.test(name) ? name.includes('-claim') : differs.cluster !== undefined
        return refused === (valid === differing) ? [] : [`${name}: the API server ${refused ? 'refuses' : 'accepts'}`]
      })
      expect(wrong).toEqual([])
    })

    test(`for ${GENERATED} generated claims`, async () => {
      const seed = Number(process.env.CLAIM_SEED ?? Math.floor(Math.random() * 2 ** 31))
      const share = Math.ceil(GENERATED / 4)
      const made = [valid, broken, modified, cut].flatMap((arbitrary, index) =>
        fc.sample(arbitrary, { numRuns: share, seed: seed + index }),
      )
      const counts = { accepted: 0, refused: 0, differ: new Map<string, number>() }
      const wrong: string[] = []
      const queue = [...made.entries()]
      const began = Date.now()
      const judgeNext = async (): Promise<void> => {
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
          const [index, claim] = next
          const { findings } = validateClaim(claim, builtInPlatform)
          const refused = await verdictOf(given(), claim)
          if ((refused === undefined) === (findings.length === 0)) {
            counts[refused === undefined ? 'accepted' : 'refused'] += 1
            continue
          }
          const difference = refused === undefined ? differences.find(({ applies }) => applies(claim, findings)) : undefined
          if (difference !== undefined) {
            counts.differ.set(difference.why, (counts.differ.get(difference.why) ?? 0) + 1)
            continue
          }
          const ours = findings.map(finding => `${pathOf(finding)} ${finding.code}`).join(', ') || 'nothing'
          const at_ = findings.map(({ path }) => JSON.stringify(at(claim, ...path)))
          wrong.push(`#${index} of seed ${seed}: we find ${ours} (${at_}); the API server: ${refused ?? 'accepts it'}`)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, judgeNext))
      const differ = [...counts.differ].map(([why, count]) => `\n  ${count}: ${why}`).join('')
      console.log(
        `${made.length} claims judged twice in ${((Date.now() - began) / 1000).toFixed(1)} s: ${counts.accepted} accepted, ${counts.refused} refused, and accepted by the API server alone:${differ}`,
      )
      expect(wrong.slice(0, 20)).toEqual([])
    })

    test(`for what ${GENERATED / 4} generated claims become, and for their pods under the restricted Pod Security Standard`, async () => {
      const seed = Number(process.env.CLAIM_SEED ?? Math.floor(Math.random() * 2 ** 31))
      const made = fc.sample(valid, { numRuns: GENERATED / 4, seed })
      const counts = new Map<unknown, number>()
      const wrong: string[] = []
      const queue = made.flatMap(claim =>
        validateClaim(claim, builtInPlatform).findings.length > 0
          ? []
          : composedOf(manifestOf({ ...claim, metadata: { ...claim.metadata, namespace: RESTRICTED } })).flatMap(withPod),
      )
      const judgeNext = async (): Promise<void> => {
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
          const refused = await verdictOf(given(), next)
          counts.set(next.kind, (counts.get(next.kind) ?? 0) + 1)
          if (refused !== undefined) wrong.push(`${next.kind} of seed ${seed}: ${refused}: ${JSON.stringify(next)}`)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, judgeNext))
      console.log(`the API server judged ${[...counts].map(([kind, count]) => `${count} ${kind}s`).join(', ')}`)
      expect(wrong.slice(0, 5)).toEqual([])
      expect(counts.get('Pod')).toBeGreaterThan(0)
    })
  })
}

/** Kinds that the API server knows without Knative and without webhooks. */
const known = ['v1', 'apps/v1', 'policy/v1']

/** The service account does not exist here, and Knative has some fields of its own and fills in the port of the probes. */
const notJudged = {
  pod: ['serviceAccountName', 'containerConcurrency', 'timeoutSeconds', 'responseStartTimeoutSeconds', 'idleTimeoutSeconds'],
  container: ['livenessProbe', 'readinessProbe', 'startupProbe'],
}
const without = (fields: readonly string[], object: Json | undefined): JsonObject =>
  isObject(object) ? Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field))) : {}

/** The manifest, if the API server knows its kind, and the pod of a workload. */
function withPod(manifest: JsonObject): JsonObject[] {
  const template = at(manifest, 'spec', 'template')
  const isOurs = known.includes(String(manifest.apiVersion))
  const containers = items(at(template, 'spec', 'containers')).map(container => ({
    name: 'user-container',
    ...(isOurs ? (container as JsonObject) : without(notJudged.container, container)),
  }))
  const metadata = { name: 'pod', namespace: RESTRICTED, labels: at(template, 'metadata', 'labels') }
  const spec = { ...without(notJudged.pod, at(template, 'spec')), containers }
  return [...(isOurs ? [manifest] : []), ...(containers.length > 0 ? [{ apiVersion: 'v1', kind: 'Pod', metadata, spec }] : [])]
}
