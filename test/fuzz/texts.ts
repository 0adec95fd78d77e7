// Generates files for the command line: damaged YAML and random text.
import fc from 'fast-check'
import schema from '../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import { printYaml } from '../../src/cli/print/manifests.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { claims, compositeOf } from '../fixtures/claims.ts'
import { manifestsOf, platforms } from './calls.ts'
import { anything, corrupted } from './hostile.ts'

const signs = fc.constantFrom(
  ...[
    '- ',
    ': ',
    '? ',
    '# ',
    '&a ',
    '*a',
    '<<: ',
    '<<: *a',
    '! ',
    '!!binary ',
    '!!set ',
    '!!int ',
    '!!merge ',
    '!<tag:yaml.org,2002:str> ',
    '| ',
    '>-',
  ],
  ...[
    '\n',
    '\r',
    '\r\n',
    '\n---\n',
    '\nkind: x\n',
    '\n...\n',
    '%YAML 1.1\n---\n',
    '  ',
    '\t',
    '"',
    "'",
    '\\',
    '[',
    ']',
    '{',
    '}',
    ',',
    '{{ .x }}',
    '<<<<<<< a\n',
  ],
  ...[
    '\uFEFF',
    '\u0000',
    '\u0085',
    '\u2028',
    '\u0007',
    '\uD800',
    '🙂',
    '~',
    'null',
    '.inf',
    '.nan',
    '0o17',
    '0x',
    '1e999',
    '12:30:00',
    '=',
    '@',
    '`',
  ],
  ...[
    '__proto__: ',
    'constructor: ',
    'toString: ',
    'kind: ',
    'EventDrivenService',
    'apiVersion: platform.bizmatters.io/',
    'List',
    'items: ',
    'spec: ',
  ],
)

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** The text with some characters inserted or removed. */
const damaged = (text: string): fc.Arbitrary<string> =>
  fc.array(fc.tuple(at, fc.oneof(signs, fc.nat(40))), { maxLength: 6 }).map(edits =>
    edits.reduce((edited, [share, edit]) => {
      const place = Math.floor(share * edited.length)
      return typeof edit === 'string'
        ? edited.slice(0, place) + edit + edited.slice(place)
        : edited.slice(0, place) + edited.slice(place + edit)
    }, text),
  )

const written = (values: readonly JsonObject[]) =>
  fc.constantFrom(
    printYaml(values),
    values.map(value => JSON.stringify(value)).join('\n'),
    JSON.stringify({ kind: 'List', items: values }, null, 2),
  )

/** A claim, its composite, its manifests, or the function input. */
const documents: fc.Arbitrary<readonly Json[]> = fc.oneof(
  claims().map(claim => [claim]),
  claims().map(claim => [compositeOf(claim)]),
  claims().map(claim => manifestsOf(claim)),
  platforms.map(platform => [platform]),
)

const bombs = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })).map(([levels, width]) => {
    const lines = Array.from(
      { length: levels },
      (_, level) =>
        `a${level}: &a${level} [${Array(width)
          .fill(level === 0 ? 'x' : `*a${level - 1}`)
          .join(', ')}]`,
    )
    return `kind: EventDrivenService\n${lines.join('\n')}\n`
  }),
  fc
    .tuple(
      fc.constantFrom('[', '{', '- ', '{a: ', '? ', '&a ', '!', '"', "'", '\\"', '- - ', '>', '(', '*'),
      fc.integer({ min: 1, max: 3000 }),
    )
    .map(([sign, count]) => `kind: EventDrivenService\nspec: ${sign.repeat(count)}`),
  fc
    .integer({ min: 1, max: 300 })
    .map(depth => `kind: EventDrivenService\n${Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:\n`).join('')}`),
  fc
    .tuple(
      fc.constantFrom('EventDrivenService', '{"kind":"EventDrivenService"} ', '---\nkind: EventDrivenService\n'),
      fc.integer({ min: 1, max: 300 }),
    )
    .map(([text, count]) => text.repeat(count)),
)

const corruptedDocuments = (all: fc.Arbitrary<readonly Json[]>): fc.Arbitrary<string> =>
  all.chain(corrupted).chain(values => written((Array.isArray(values) ? values : [values]) as JsonObject[]))

/** Manifests for `eds import` and `eds migrate`. */
export const manifests = corruptedDocuments(claims().map(claim => manifestsOf(claim)))

/** The published schema for `--schema`. */
export const schemas = corrupted(schema as Json).map(value => JSON.stringify(value))

export const texts: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: corruptedDocuments(documents).chain(damaged) },
  { weight: 3, arbitrary: corruptedDocuments(documents) },
  { weight: 2, arbitrary: fc.array(fc.oneof(signs, fc.string({ maxLength: 6 })), { maxLength: 40 }).map(parts => parts.join('')) },
  { weight: 1, arbitrary: anything.map(value => JSON.stringify(value)) },
  { weight: 1, arbitrary: bombs },
)

/** Encodings in which an editor or a shell may save a file. */
export const encodings: fc.Arbitrary<(text: string) => Buffer> = fc.oneof(
  { weight: 8, arbitrary: fc.constant((text: string) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      (text: string) => Buffer.from(`\uFEFF${text}`),
      (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
      (text: string) => Buffer.from(text, 'utf16le'),
      (text: string) => Buffer.from(text, 'latin1'),
      (text: string) => Buffer.from(text.replaceAll('\n', '\r')),
      (text: string) => Buffer.from(text.replaceAll('\n', '\r\n')),
    ),
  },
)
