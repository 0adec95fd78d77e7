import { defineConfig } from 'vitest/config'

// npm run test:mesh: what we render, with Istio's code, a real istiod and a real Envoy. The first run builds istiod.
export default defineConfig({
  test: { include: ['test/e2e/mesh/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 3_600_000, fileParallelism: false },
})
