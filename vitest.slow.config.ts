// The tests that build and run other people's programs: npm run test:crossplane and its like.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/{crossplane,image,kubectl,monitoring}/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 1_800_000,
    // They share two cores with what they start.
    fileParallelism: false,
  },
})
