// npm run test:observability: metrics from NATS to an alert, with a real Prometheus Operator, KEDA and kube-state-metrics.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/observability/**/*.test.ts'],
    testTimeout: 600_000,
    // The first run builds all programs.
    hookTimeout: 3_600_000,
    // A busy machine may miss a deadline of a controller. A real error fails twice.
    retry: process.env.CI ? 1 : 0,
  },
})
