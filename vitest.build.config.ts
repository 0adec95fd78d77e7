// npm run test:build: builds in real pods, in the namespaces of test/e2e/node/run.ts.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/build/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    // A busy machine may miss a deadline of a controller. A real error fails twice.
    retry: process.env.CI ? 1 : 0,
    // All files use one cluster, which the first of them starts.
    isolate: false,
    fileParallelism: false,
    maxWorkers: 1,
  },
})
