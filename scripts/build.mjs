// node scripts/build.mjs [function|eds] [--packages]: bundles the function and the command line, or one of them, and writes the
// licences of their packages. With --packages it only lists the packages.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { licensesOf, packagesIn } from './packages.mjs'

const programs = { function: 'src/function/main.ts', eds: 'src/cli/main.ts' }
const { values, positionals } = parseArgs({ options: { packages: { type: 'boolean', default: false } }, allowPositionals: true })

/** Leaves out unused code, so the function starts in half the time. */
const lean = {
  name: 'lean',
  setup({ onResolve, onLoad, resolve }) {
    // We use only the messages of the SDK, whose index also loads a logger and a server.
    onResolve({ filter: /^@crossplane-org\/function-sdk-typescript$/ }, async () => ({
      path: fileURLToPath(import.meta.resolve('@crossplane-org/function-sdk-typescript')).replace(/index\.js$/, 'proto/run_function.js'),
      sideEffects: false,
    }))
    // These packages have no side effects on import, so unused parts can be dropped.
    onResolve({ filter: /^@bufbuild\// }, async ({ path, pluginData, ...rest }) =>
      pluginData === lean ? undefined : { ...(await resolve(path, { ...rest, pluginData: lean })), sideEffects: false },
    )
    // grpc-js loads it only for channelz, which is disabled.
    onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ path }) => ({ path, namespace: 'absent' }))
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {}' }))
  },
}

const { metafile, outputFiles } = await build({
  entryPoints: Object.fromEntries(Object.entries(programs).filter(([name]) => positionals.length === 0 || positionals.includes(name))),
  outdir: 'dist',
  write: false,
  metafile: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Keeps names, so stack traces in the log are readable.
  minifyWhitespace: true,
  minifySyntax: true,
  // The licences are in their own file.
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [lean],
  // CommonJS dependencies call require, which an ES module must create.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})
const packages = packagesIn(metafile)
if (values.packages) console.log(JSON.stringify(packages))
else {
  for (const { path, contents } of outputFiles) replace(path, contents)
  replace('dist/THIRD_PARTY_LICENSES.txt', licensesOf(packages))
}

/** At once, because suites that run at the same time build and start the same file. */
function replace(path, contents) {
  const next = `${path}.${process.pid}`
  mkdirSync(dirname(path), { recursive: true })
  // Like esbuild itself: a command is executable.
  const isCommand = Buffer.from(contents).toString('utf8', 0, 2) === '#!'
  writeFileSync(next, contents, { mode: isCommand ? 0o755 : 0o644 })
  renameSync(next, path)
}
