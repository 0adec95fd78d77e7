// Every promise of docs/security.md names a test that is there.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { root } from './claim-files.ts'
import { rowsUnder } from './markdown.ts'

const page = readFileSync(`${root}docs/security.md`, 'utf8')
const sections = ['### A claim', '### The network', '### What is installed', "### A platform engineer's mistake"]
const promises = sections
  .flatMap(section => rowsUnder(page, section))
  .map(([promise = '', how = '', held = '']) => ({ promise, how, held }))

/** File and title of each test that a promise names, as `[name](../test/file): title`, the title as code. */
const testsIn = (held: string) =>
  held.split(/; (?=\[)/).map(one => /^\[[^\]]+\]\(\.\.\/(test\/[^)]+)\): `([^`]+)`$/.exec(one)?.slice(1) ?? [one])

/** As the title of a test or a group, or as what a row of a table says. */
function isThere(file: string, title: string): boolean {
  const literal = title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?:\\btest\\(|\\bdescribe\\(|\\)\\(|\\bsays: )\\s*(['"\`])${literal}\\1`).test(readFileSync(root + file, 'utf8'))
}

test('there are promises', () => expect(promises.length).toBeGreaterThan(20))

test.each(promises)('$promise', ({ how, held }) => {
  expect(how).not.toBe('')
  for (const [file = '', title] of testsIn(held)) {
    expect(title, `${file} has the form [name](../test/file): \`title\``).toBeDefined()
    expect(existsSync(root + file), file).toBe(true)
    expect(isThere(file, title ?? ''), `${file} has '${title}'`).toBe(true)
  }
})

test('a title that is none is noticed, wherever else its words stand', () => {
  expect(isThere('test/function/peer.test.ts', 'another CA with the same subject')).toBe(true)
  expect(isThere('test/function/peer.test.ts', 'a client that nobody made')).toBe(false)
  expect(isThere('test/function/peer.test.ts', 'no-certificate')).toBe(false)
})
