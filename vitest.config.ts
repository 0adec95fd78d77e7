import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    // CI runs each law with a thousand values, and a busy machine takes minutes for some.
    testTimeout: process.env.CI ? 300_000 : 60_000,
    // A busy machine needs more than the default of one second.
    expect: { poll: { timeout: 20_000 } },
    // Files share imported modules, which halves the CPU time.
    isolate: false,
    // A test that depends on an earlier one fails, and the seed repeats the order.
    sequence: { shuffle: { tests: true } },
    // One worker alone takes twice as long on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    coverage: {
      include: ['src/**/*.ts'],
      exclude: ['src/claim/generated/**'],
      reporter: [['text', { skipFull: true }], 'text-summary'],
      thresholds: { statements: 95, branches: 90 },
    },
  },
})
