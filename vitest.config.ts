import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    testTimeout: 60_000,
    // A busy machine takes more than the default second.
    expect: { poll: { timeout: 20_000 } },
    // Files share what they import: half the CPU time.
    isolate: false,
    // A test that needs another one before it fails, with the seed to repeat it.
    sequence: { shuffle: { tests: true } },
    // On two cores one alone would take twice as long.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    coverage: {
      include: ['src/**/*.ts'],
      exclude: ['src/claim/generated/**'],
      reporter: [['text', { skipFull: true }], 'text-summary'],
      thresholds: { statements: 95, branches: 90 },
    },
  },
})
