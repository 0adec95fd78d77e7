// node scripts/build.mjs [function|eds] [--packages]: bundles the programs, the function that the image runs and the command
// line, or one of them, and the licences of what is in them. With --packages nothing is written, but those packages listed.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { licensesOf, packagesIn } from './packages.mjs'

const programs = { function: 'src/function/main.ts', eds: 'src/cli/main.ts' }
const { values, positionals } = parseArgs({ options: { packages: { type: 'boolean', default: false } }, allowPositionals: true })

/** Leaves out what is loaded and never used, so that the function starts in half the time. */
const lean = {
  name: 'lean',
  setup({ onResolve, onLoad, resolve }) {
    // Of the SDK we use the messages: its index would load a logger and a server of its own.
    onResolve({ filter: /^@crossplane-org\/function-sdk-typescript$/ }, async () => ({
      path: fileURLToPath(import.meta.resolve('@crossplane-org/function-sdk-typescript')).replace(/index\.js$/, 'proto/run_function.js'),
      sideEffects: false,
    }))
    // Of these we use a part, and none does anything on import.
    onResolve({ filter: /^@bufbuild\// }, async ({ path, pluginData, ...rest }) =>
      pluginData === lean ? undefined : { ...(await resolve(path, { ...rest, pluginData: lean })), sideEffects: false },
    )
    // grpc-js loads it for channelz only, which is off.
    onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ path }) => ({ path, namespace: 'absent' }))
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {}' }))
  },
}

const { metafile } = await build({
  entryPoints: Object.fromEntries(Object.entries(programs).filter(([name]) => positionals.length === 0 || positionals.includes(name))),
  outdir: 'dist',
  write: !values.packages,
  metafile: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Names stay, so that a stack in the log can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  // The licences have a file of their own.
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [lean],
  // CommonJS dependencies call require; an ES module has none until it makes one.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})
const packages = packagesIn(metafile)
if (values.packages) console.log(JSON.stringify(packages))
else writeFileSync('dist/THIRD_PARTY_LICENSES.txt', licensesOf(packages))
