import { defineConfig } from 'vitest/config'

// npm run test:knative: what needs Go or kubectl, or takes its time.
export default defineConfig({
  test: { include: ['test/e2e/knative/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 600_000 },
})
