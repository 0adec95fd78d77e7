// .githooks/commit-msg, as git calls it: with the file that holds the message.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { root } from '../fixtures/claim-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'commit-message-'))
afterAll(() => rmSync(folder, { recursive: true }))

function judge(message: string) {
  const file = join(folder, 'COMMIT_EDITMSG')
  writeFileSync(file, message)
  const { status, stderr } = spawnSync(join(root, '.githooks/commit-msg'), [file], { encoding: 'utf8' })
  return { status, stderr }
}

const subjectOf = (length: number, letter = 'a') => `fix(server): ${letter.repeat(length - 'fix(server): '.length)}`

describe('accepts', () => {
  test.each([
    { says: 'a subject', message: 'fix(server): limit each address to 512 connections\n' },
    { says: 'a name in capitals', message: 'feat(deployment): keep the replica count that KEDA chose\n' },
    { says: 'a body with sentences', message: 'docs(readme): drop the apology\n\nNpm warns no more.\n' },
    { says: "git's comments and an empty line before the subject", message: '# Please enter the message\n\nci(run): show the coverage\n' },
    { says: '72 characters', message: subjectOf(72) },
    { says: '72 characters of more than one byte', message: `${subjectOf(62)} ${'é'.repeat(9)}` },
    { says: 'a verb that ends like a noun', message: 'refactor(cli): bypass the pager\n' },
    { says: 'a verb that ends like a past tense', message: 'test(fuzz): seed every run\n' },
    { says: 'a merge', message: "Merge branch 'main' into feature\n" },
    { says: 'a revert', message: 'Revert "feat(cli): add a flag."\n' },
    { says: 'a fixup', message: 'fixup! feat(cli): add a flag\n' },
  ])('$says', ({ message }) => expect(judge(message)).toEqual({ status: 0, stderr: '' }))
})

describe('refuses', () => {
  test.each([
    { says: 'no type', message: 'limit each address', reason: 'type(scope): imperative' },
    { says: 'no scope', message: 'fix: limit each address', reason: 'type(scope): imperative' },
    { says: 'an unknown type', message: 'fixes(server): limit each address', reason: 'build, chore, ci' },
    { says: 'a scope in capitals', message: 'fix(Server): limit each address', reason: 'type(scope): imperative' },
    { says: 'no space after the colon', message: 'fix(server):limit each address', reason: 'type(scope): imperative' },
    { says: '73 characters', message: subjectOf(73), reason: 'at most 72 characters, not 73' },
    { says: 'a full stop', message: 'fix(server): limit each address.', reason: 'full stop' },
    { says: 'a capital', message: 'fix(server): Limit each address', reason: "lower case, not 'Limit'" },
    { says: 'the past', message: 'fix(server): limited each address', reason: "imperative, not 'limited'" },
    { says: 'the present', message: 'fix(server): limits each address', reason: "imperative, not 'limits'" },
    { says: 'a participle', message: 'fix(server): limiting each address', reason: "imperative, not 'limiting'" },
    { says: 'what is no verb', message: 'fix(server): of one address 512 connections are held', reason: "verb, not 'of'" },
    { says: 'nothing', message: '# Please enter the message\n', reason: 'type(scope): imperative' },
  ])('$says', ({ message, reason }) => {
    const { status, stderr } = judge(message)
    expect(stderr).toContain(reason)
    expect(status).toBe(1)
  })
})

test('accepts the example of CONTRIBUTING.md', () => {
  const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
  const example = /such as `([^`]+)`/.exec(page)?.[1] ?? ''
  expect(judge(example)).toEqual({ status: 0, stderr: '' })
})
