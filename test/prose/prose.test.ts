import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../fixtures/claim-files.ts'
import { badWording } from './prose.ts'
import wording from './wording.json' with { type: 'json' }

/** The file itself, or every file in the folder. Throws for a path that does not exist. */
const filesIn = (path: string) =>
  statSync(join(root, path)).isFile()
    ? [path]
    : readdirSync(join(root, path), { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name).slice(root.length))

test.each(wording.clean)('%s is in plain English', path => {
  const found = filesIn(path).flatMap(file => badWording(readFileSync(join(root, file), 'utf8')).map(problem => `${file}:${problem}`))
  expect(found).toEqual([])
})

describe('finds', () => {
  test.each([
    { text: 'More than a field with a pattern may have.', found: ['More than a field with a pattern may have'] },
    { text: 'What the conditions say is about the spec before.', found: ['conditions say'] },
    { text: '// One that is known is not made anew.', found: ['made anew'] },
    { text: 'so that none of so many is ever forgotten', found: ['so that none'] },
    { text: 'If this stays, it is one before 2.0.', found: ['is one before 2'] },
    { text: 'Autoscaling is paused until KEDA sees that it is no longer to be.', found: ['no longer to be'] },
    { text: 'events are being led over to it; not there yet', found: ['led over'] },
    { text: 'Deployment orders is gone and has left its name free.', found: ['name free'] },
    { text: 'A Broker takes the events with it that it has not delivered.', found: ['takes the events with it'] },
    { text: "can't be made, as the cluster does not know this kind", found: ["can't be made, as"] },
    { text: 'Nothing comes of the field, as another one makes it idle.', found: ['Nothing comes of'] },
    { text: 'Seconds between two looks at the lag.', found: ['two looks'] },
    { text: '## What is another way there', found: ['is another way there', 'another way there'] },
    { text: 'Who connects to the function and hangs up, as a TCP probe does', found: ['Who connects', 'hangs up'] },
    { text: 'the command that mends it', found: ['mends'] },
    { text: 'a list that JSON Schema has no words for', found: ['has no words for'] },
    { text: 'With the own defaults, a kustomization stands in the place of the three commands.', found: ['in the place of'] },
    { text: 'An object of that name is taken over without a word.', found: ['is taken over without a word'] },
    { text: 'Pods of before keep running; if this stays, ask.', found: ['of before', 'if this stays'] },
  ])("'$text'", ({ text, found }) => {
    expect(badWording(`\n${text}`).map(problem => /^2: '(.*)' -> /.exec(problem)?.[1])).toEqual(expect.arrayContaining(found))
  })
})

describe('accepts', () => {
  test.each([
    'Longer than any pattern-checked field may be.',
    'List entries that server-side apply leaves behind because it merges lists by key.',
    'Autoscaling is still paused; KEDA has not picked up the change yet.',
    'Deployment orders keeps serving until the Knative Service orders is ready.',
    'HPA orders cannot scale beyond one replica: the metric is missing.',
    'const recommended = { depends: true }',
    'readonly mend?: string',
    '{ says: message, mend: fix }',
    'Ask the team who owns the namespace.',
    'Retry as often as needed, as described below.',
  ])("'%s'", text => expect(badWording(text)).toEqual([]))
})

test('explains what to write instead', () => expect(badWording('the command that mends it')).toEqual(["1: 'mends' -> fix"]))
