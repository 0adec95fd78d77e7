// What the older examples rendered at first is in test/golden/baseline.json. Later versions may add to it only what is listed here
// and in docs/install.md: each addition rolls the pods of every claim once.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { at, isObject, type Json, type JsonObject } from '../src/kubernetes/json.ts'
import { builtInPlatform } from '../src/platform/platform.ts'
import { compose } from '../src/reconcile/compose.ts'
import { findingsMessage } from '../src/reconcile/conditions.ts'
import { parseClaim } from '../src/reconcile/parse-claim.ts'
import baseline from './golden/baseline.json' with { type: 'json' }

/** Fields that were added, by the pattern of their path. Those that `availability: None` omits are not here. */
const added = [
  /\.labels\.app\.kubernetes\.io\/version$/,
  /\.securityContext\.(?:runAsGroup|fsGroup|fsGroupChangePolicy)$/,
  /\.env\.OTEL_(?:SERVICE_VERSION|RESOURCE_ATTRIBUTES)$/,
]

const without = (value: Json, path = ''): Json => {
  const isNew = (step: string) => added.some(pattern => pattern.test(`${path}.${step}`))
  if (Array.isArray(value))
    return value.flatMap((item: Json, index) => {
      const step = String(at(item, 'name') ?? index)
      return isNew(step) ? [] : [without(item, `${path}.${step}`)]
    })
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([step]) => !isNew(step))
  return Object.fromEntries(kept.map(([step, below]) => [step, without(below ?? null, `${path}.${step}`)]))
}

/** The resources of an example by their key. */
function rendered(example: string): Record<string, Json> {
  const text = readFileSync(new URL(`../examples/${example}`, import.meta.url), 'utf8')
  const claims = parseAllDocuments(text).map(document => document.toJS() as JsonObject)
  const platform = { ...builtInPlatform, availability: 'None' } as const
  const resources = claims.flatMap(claim => {
    const parsed = parseClaim(claim, platform)
    if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
    return compose(parsed.claim, platform, {}).resources
  })
  return Object.fromEntries(resources.map(({ key, desired }) => [key, without(desired)]))
}

const rows = Object.entries(baseline as Readonly<Record<string, unknown>>).map(([name, manifest]) => {
  const [example = '', key = ''] = name.split(' ')
  return { example, key, manifest }
})

describe.each([...new Set(rows.map(({ example }) => example))])('%s', example => {
  const own = rows.filter(row => row.example === example)

  test('renders the same resources, but for the additions', () => {
    const now = rendered(example)
    expect(Object.keys(now)).toEqual(own.map(({ key }) => key))
    // To the byte: the order of the fields counts.
    for (const { key, manifest } of own) expect(JSON.stringify(now[key])).toBe(JSON.stringify(manifest))
  })
})
