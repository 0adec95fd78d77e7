// npm run test:gitops: a real Argo CD beside the control plane. Its program takes half an hour to build the first time.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/gitops/argocd/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 3_600_000,
  },
})
