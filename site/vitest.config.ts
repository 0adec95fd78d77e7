import { defineConfig } from 'vitest/config'

// npm run test:site: the pages as they are built, the code of the page in Node, and a real Chromium.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Chromium on a machine that is busy with other suites.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
  },
})
