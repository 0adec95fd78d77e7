// The tests that build and run other people's programs: test:crossplane, test:health, test:helm, test:image, test:kubectl, test:monitoring.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/{crossplane,gitops/lua,helm,image,kubectl,monitoring}/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 1_800_000,
    // The programs that the tests start use the cores too.
    fileParallelism: false,
  },
})
