// Bundles the two programs: the function that the image runs, and the command line.
import { build } from 'esbuild'

await build({
  entryPoints: { function: 'src/function/main.ts', eds: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  // CommonJS dependencies call require; an ES module has none until it makes one.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})
