import { defineConfig } from 'vitest/config'

// npm test -w worker
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/build.ts',
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
})
