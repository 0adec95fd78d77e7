import { defineConfig } from 'vitest/config'

// npm run test:site: the pages as they are built, the code of the page in Node, and a real Chromium.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } }, maxWorkers: 2 },
})
