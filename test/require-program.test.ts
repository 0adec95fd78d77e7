import { expect, test, vi } from 'vitest'
import { handleMissing } from './require-program.ts'

const url = 'https://go.dev/dl'
const reason = `go is missing: ${url}`

test('skips with the reason outside CI', () => {
  const skip = vi.fn()
  handleMissing('go', url, { skip, env: {} })
  expect(skip).toHaveBeenCalledExactlyOnceWith(reason)
})

test('fails in CI', () => {
  const skip = vi.fn()
  expect(() => handleMissing('go', url, { skip, env: { CI: 'true' } })).toThrow(new Error(reason))
  expect(skip).not.toHaveBeenCalled()
})
