// npm run test:cluster: the suite on a real control plane.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/cluster/**/*.test.ts'],
    globalSetup: 'test/e2e/cluster/build-first.ts',
    testTimeout: 300_000,
    // A busy machine may miss a deadline of a controller. A real error fails twice.
    retry: process.env.CI ? 1 : 0,
    // The first run builds programs that only some files need.
    hookTimeout: 3_600_000,
    // Each file starts its own control plane, and waits more than it computes.
    maxWorkers: 3,
  },
})
