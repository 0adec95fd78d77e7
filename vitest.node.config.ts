// npm run test:node: nodes end clean.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/node/**/*.test.ts'],
    testTimeout: 600_000,
    fileParallelism: false,
  },
})
