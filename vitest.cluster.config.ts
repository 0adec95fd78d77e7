// The suite on a real control plane: npm run test:cluster.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/cluster/**/*.test.ts'],
    testTimeout: 300_000,
    // Controllers have deadlines of their own, and a busy machine may miss one. What is really wrong fails twice.
    retry: process.env.CI ? 1 : 0,
    // The first time everything is built.
    hookTimeout: 3_600_000,
    // Each file has a control plane of its own; two of them fill a small machine.
    maxWorkers: 2,
  },
})
