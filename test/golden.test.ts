import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { goldenFiles, goldens } from '../scripts/golden.ts'

const wanted = goldens()
const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')

test('every example has a golden file and every golden file has an example', () => {
  expect(goldenFiles()).toEqual([...wanted.keys()].sort())
})

test.each([...wanted].map(([file, content]) => ({ file, content })))(
  '$file is what the code gives; else: npm run golden',
  ({ file, content }) => {
    expect(content).toBe(read(file))
  },
)

test.each([...wanted].map(([file, content]) => ({ file, content })))('$file reads back as whole documents', ({ file, content }) => {
  const documents = parseAllDocuments(content)
  expect(documents.flatMap(({ errors }) => errors)).toEqual([])
  // A claim with a build has no workload before its image.
  const always = file.includes('/build/') ? ['status'] : ['ServiceAccount', 'status']
  expect(documents.map(document => document.get('kind') ?? 'status')).toEqual(expect.arrayContaining(always))
})
