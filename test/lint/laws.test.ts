// What no linter may do: report what is right. FC_RUNS sets the number of runs.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exampleClaims, platformOf } from '../../scripts/generate/examples.ts'
import { eds } from '../../src/cli/eds.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { lint } from '../../src/lint/lint.ts'
import type { Platform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { findingsMessage } from '../../src/reconcile/conditions.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { recorded } from '../cli/io.ts'
import { RUNS } from '../fixtures/claims.ts'
import { gateways, meshClaims, styles, withMesh } from '../fixtures/mesh.ts'

const rendered = (claim: JsonObject, platform: Platform): JsonObject[] => {
  const parsed = parseClaim(claim, platform)
  if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
  return compose(parsed.claim, platform, {}).resources.map(({ manifest }) => manifest)
}

const told = (values: readonly JsonObject[], isComplete: boolean) =>
  lint(values, { namespace: 'default', isComplete }).findings.map(
    ({ index, finding }) => `${values[index]?.kind} ${finding.code} ${finding.problem}`,
  )

const examples = exampleClaims().map(example => ({ ...example, manifests: rendered(example.claim, platformOf(example)) }))

/** Objects that claims name and do not create. */
const elsewhere = /^(?:Trigger MISSING_BROKER|\w+ MISSING_SINK) /

describe('finds nothing in', () => {
  test.each(examples)('what $file becomes', ({ manifests }) => {
    expect(told(manifests, false)).toEqual([])
    expect(told(manifests, true).filter(line => !elsewhere.test(line))).toEqual([])
  })

  test('what all examples become together', () => {
    expect(
      told(
        examples.flatMap(({ manifests }) => manifests),
        false,
      ),
    ).toEqual([])
  })

  test('what any claim in a mesh becomes', () => {
    const platforms = styles.map(style => withMesh({ gateway: gateways[style] }))
    fc.assert(
      fc.property(meshClaims(), fc.constantFrom(...platforms), (claim, platform) => {
        const manifests = rendered(claim, platform)
        expect(told(manifests, false)).toEqual([])
        expect(told(manifests, true).filter(line => !elsewhere.test(line))).toEqual([])
      }),
      { numRuns: Math.max(200, RUNS) },
    )
  })
})

test('answers any objects', () => {
  const anything = fc.jsonValue().map(value => value as JsonObject[string])
  const kinds = examples.flatMap(({ manifests }) => manifests)
  const broken = fc.tuple(fc.constantFrom(...kinds), fc.constantFrom('spec', 'metadata', 'kind', 'apiVersion'), anything)
  fc.assert(
    fc.property(fc.array(broken, { maxLength: 6 }), list => {
      lint(
        list.map(([object, field, value]) => ({ ...object, [field]: value })),
        { namespace: 'default', isComplete: true },
      )
    }),
    { numRuns: RUNS },
  )
})

const folder = fileURLToPath(new URL('../fixtures/lint/', import.meta.url))
const EXPECTED = /^# expect: (?<path>\S+) \[(?<code>\w+)\]$/gm

/** Mistakes of manifests that people maintained by hand, where every schema and istiod itself accepts them. */
test.each(readdirSync(folder))('finds what is wrong in %s', async name => {
  const text = readFileSync(folder + name, 'utf8')
  const { io, stdout } = recorded()
  expect(await eds(['lint', folder + name, '--complete', '-o', 'json'], io)).toBe(1)
  const { findings } = JSON.parse(stdout()) as { findings: { path: string; code: string }[] }
  const sorted = (list: readonly string[]) => [...list].sort()
  expect(sorted(findings.map(({ path, code }) => `${path} ${code}`))).toEqual(
    sorted([...text.matchAll(EXPECTED)].map(({ groups }) => `${groups?.path} ${groups?.code}`)),
  )
})
