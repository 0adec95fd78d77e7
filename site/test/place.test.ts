import { expect, test } from 'vitest'
import { readAddress, writeAddress } from '../src/playground/address.ts'
import { changedLines } from '../src/playground/changes.ts'
import { keysAround, typingAt } from '../src/playground/place.ts'

const CLAIM = `kind: EventDrivenService
spec:
  env:
    - name: A
      value: |
        key: text
    - name: B
  files:
  - secret: x
    mountPath: /x
  size: small
---
other: 1`.split('\n')

test('knows the path of each key, in lists of both styles', () => {
  expect(keysAround(CLAIM, 2).map(({ path }) => path.join('.'))).toEqual([
    'kind',
    'spec',
    'spec.env',
    'spec.env.0.name',
    'spec.env.0.value',
    'spec.env.1.name',
    'spec.files',
    'spec.files.0.secret',
    'spec.files.0.mountPath',
    'spec.size',
  ])
})

test.each([
  { lines: ['spec:', '  si|'], kind: 'key', path: 'spec', word: 'si' },
  { lines: ['spec:', '  size: s|'], kind: 'value', path: 'spec.size', word: 's' },
  { lines: ['spec:', '  |'], kind: 'key', path: 'spec', word: '' },
  { lines: ['|'], kind: 'key', path: '', word: '' },
  { lines: ['spec:', '  env:', '    - na|'], kind: 'key', path: 'spec.env.0', word: 'na' },
  { lines: ['spec:', '  env:', '  - name: A', '    va|'], kind: 'key', path: 'spec.env.0', word: 'va' },
  { lines: ['spec:', '  env:', '    - name: A', '    - |'], kind: 'key', path: 'spec.env.1', word: '' },
  { lines: ['a: 1', '---', 'spec:', '  x|'], kind: 'key', path: 'spec', word: 'x' },
  { lines: ['spec: # si|'], kind: undefined, path: '', word: '' },
])('knows what is typed in $lines', ({ lines, kind, path, word }) => {
  const line = lines.findIndex(text => text.includes('|'))
  const column = lines[line]?.indexOf('|') ?? 0
  const plain = lines.map(text => text.replace('|', ''))
  const typing = typingAt(plain, line, column)
  expect(typing?.kind).toBe(kind)
  if (typing !== undefined) expect({ path: typing.path.join('.'), word: typing.word }).toEqual({ path, word })
})

test.each([
  { before: 'a\nb\nc', now: 'a\nB\nc', changed: [1] },
  { before: 'a\nb\nc', now: 'a\nb\nc', changed: [] },
  { before: 'a\nc', now: 'a\nb\nc', changed: [1] },
  { before: 'a\nb\nc', now: 'a\nc', changed: [] },
  { before: 'x\na\ny\nb', now: 'X\na\nY\nb', changed: [0, 2] },
])('marks the lines $changed of $now', ({ before, now, changed }) => {
  expect([...changedLines(before, now)]).toEqual(changed)
})

test('an address gives back the state that it was made of', async () => {
  const state = {
    example: 'mesh/canary-claim',
    claim: 'a: ü\n',
    platform: '',
    cluster: 'zero',
    environment: 'staging',
    at: 'spec.env[].name',
  }
  const address = await writeAddress(state)
  expect(address).toMatch(/^example=mesh\/canary-claim&/)
  expect(await readAddress(`#${address}`)).toEqual(state)
})

test.each(['#claim=%%%', '#claim=AAAA', '#claim=', '#', '#example=nothing&x=1'])('reads what it can of %s', async fragment => {
  const { claim } = await readAddress(fragment)
  expect(claim).toBeUndefined()
})
