// Runs `eds validate` on the fixture claims: no findings for valid claims, and exactly the expected ones for invalid claims.
import { describe, expect, test } from 'vitest'
import { eds } from '../../src/cli/eds.ts'
import { claimFiles, invalidFiles, root, validFiles } from '../fixtures/claim-files.ts'
import { recorded } from './io.ts'

interface Reported {
  readonly severity: string
  readonly path: string
  readonly code: string
  readonly message: string
  readonly line: number
}

async function validate(name: string) {
  const { io, stdout, stderr } = recorded()
  const code = await eds(['validate', '-o', 'json', `${root}${name}`], io)
  const { findings } = JSON.parse(stdout()) as { findings: Reported[] }
  return { code, findings, stderr: stderr() }
}

const errors = (findings: readonly Reported[]) => findings.filter(({ severity }) => severity === 'error')

describe('valid', () => {
  test.each(claimFiles.filter(({ valid }) => valid))('$name', async ({ name }) => {
    const { code, findings } = await validate(name)
    expect(errors(findings)).toEqual([])
    expect(code).toBe(0)
  })
})

describe('invalid', () => {
  const place = ({ path, code }: { path: string; code: string }) => `${path} [${code}]`

  test.each(invalidFiles)('$name', async ({ name, expected }) => {
    const { code, findings } = await validate(name)
    const found = errors(findings)
    expect(found.map(place).sort()).toEqual(expected.map(place).sort())
    for (const { says, ...where } of expected) expect(found.find(finding => place(finding) === place(where))?.message).toContain(says)
    expect(code).toBe(1)
  })

  test.each(invalidFiles)('$name has its findings in line order', async ({ name }) => {
    const lines = (await validate(name)).findings.map(({ line }) => line)
    expect(lines).toEqual(lines.toSorted((a, b) => a - b))
  })
})

test('the fixtures contain enough claims', () => {
  expect(invalidFiles.length).toBeGreaterThanOrEqual(60)
  expect(validFiles.length).toBeGreaterThan(20)
})

test('reports every invalid file of a folder', async () => {
  const { io, stdout } = recorded()
  expect(await eds(['validate', '-o', 'json', `${root}test/fixtures/claims/invalid`], io)).toBe(1)
  const { findings } = JSON.parse(stdout()) as { findings: (Reported & { file: string })[] }
  expect(new Set(findings.map(({ file }) => file))).toEqual(new Set(invalidFiles.map(({ name }) => `${root}${name}`)))
})
