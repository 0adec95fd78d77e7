// Bundles the two programs: the function that the image runs, and the command line.
import { build } from 'esbuild'

/** Leaves out what is loaded and never used, so that the function starts in half the time. */
const lean = {
  name: 'lean',
  setup({ onResolve, onLoad, resolve }) {
    // Of these we use a part: the SDK's index would load a logger and a server of its own. None does anything on import.
    onResolve({ filter: /^@(crossplane-org\/function-sdk-typescript|bufbuild\/.*)$/ }, async ({ path, pluginData, ...rest }) =>
      pluginData === lean ? undefined : { ...(await resolve(path, { ...rest, pluginData: lean })), sideEffects: false },
    )
    // grpc-js loads it for channelz only, which is off.
    onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ path }) => ({ path, namespace: 'absent' }))
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {}' }))
  },
}

await build({
  entryPoints: { function: 'src/function/main.ts', eds: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Names stay, so that a stack in the log can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [lean],
  // CommonJS dependencies call require; an ES module has none until it makes one.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})
