import { defineConfig } from 'vitest/config'

// npm run test:knative: the slow tests, and those that need Go or kubectl.
export default defineConfig({
  test: { include: ['test/e2e/knative/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 600_000 },
})
