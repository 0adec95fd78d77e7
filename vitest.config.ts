import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/crossplane/**', 'test/knative/**', 'test/cluster/**', 'test/image/**', 'test/monitoring/**'],
    testTimeout: 60_000,
  },
})
