// Validates the fixture claims with the real `crossplane resource validate` and our XRD. test/verdict.test.ts runs other validators.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { claimFiles, root, surprises } from '../../fixtures/claim-files.ts'
import { goTool, moduleSources } from '../go-tools.ts'

const run = promisify(execFile)
const AT_ONCE = 2
const TIMEOUT_MS = 600_000

/** Crossplane's CRDs, which the CLI would otherwise pull from a registry. */
async function cacheWithCrds(): Promise<string> {
  const cache = mkdtempSync(join(tmpdir(), 'crossplane-cache-'))
  onTestFinished(() => rmSync(cache, { recursive: true }))
  const crds = join(await moduleSources('crossplane/core', 'github.com/crossplane/crossplane/v2'), 'cluster/crds')
  const image = join(cache, 'xpkg.crossplane.io/crossplane/crossplane@stable')
  mkdirSync(image, { recursive: true })
  const texts = readdirSync(crds).map(name => readFileSync(join(crds, name), 'utf8'))
  writeFileSync(join(image, 'package.yaml'), texts.join('\n---\n'))
  return cache
}

test(
  'the same verdict from crossplane resource validate',
  async () => {
    const [crossplane, cache] = await Promise.all([goTool('crossplane/cli'), cacheWithCrds()])
    const options = ['--cache-dir', cache, '--error-on-missing-schemas', '--skip-success-results']
    const accepted = new Set<string>()
    const waiting = claimFiles.map(({ name }) => name)
    const work = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const verdict = run(crossplane, ['resource', 'validate', 'apis/definition.yaml', name, ...options], { cwd: root })
        if (
          await verdict.then(
            () => true,
            () => false,
          )
        )
          accepted.add(name)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    expect(surprises('crossplane', ({ name }) => accepted.has(name))).toEqual([])
  },
  TIMEOUT_MS,
)
