// npm run test:gitops: a real Argo CD and a real Flux, each beside a control plane. Argo CD takes half an hour to build the first time.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/e2e/gitops/{argocd,flux}/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 3_600_000,
    fileParallelism: false,
  },
})
