import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lexemesOf } from '../../../src/cli/yaml/lexemes.ts'

test('counts the open brackets after each lexeme', () => {
  const lexemes = Array.from(lexemesOf('a: [b, {c: "[" }] # ]\n'), ({ text, brackets }) => ({ text, brackets }))
  expect(lexemes.filter(({ text }) => /^[[\]{}]$/.test(text)).map(({ brackets }) => brackets)).toEqual([1, 2, 1, 0])
})

test('the lexemes of a text, joined, are the text, and each has its offset', () => {
  const token = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '#',
    ' ',
    '\n',
    '|',
    '&x ',
    '*x',
    '---\n',
    '...\n',
    '%',
    '\r\n',
  )
  fc.assert(
    fc.property(fc.array(token, { maxLength: 20 }), tokens => {
      const text = tokens.join('')
      const lexemes = Array.from(lexemesOf(text))
      expect(lexemes.map(lexeme => lexeme.text).join('')).toBe(text)
      for (const lexeme of lexemes) expect(text.startsWith(lexeme.text, lexeme.offset)).toBe(true)
    }),
  )
})
