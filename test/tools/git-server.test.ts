import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GitServer, serveRepositories } from '../e2e/gitops/git-server.ts'
import { type Commit, createRepository } from '../e2e/gitops/repository.ts'

const folder = mkdtempSync(join(tmpdir(), 'git-server-'))
let server: GitServer | undefined
let commit: Commit | undefined

const clone = (to: string): Promise<number> =>
  // Not execFileSync, because the server runs in this process.
  new Promise(resolve => {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', NO_PROXY: '*', no_proxy: '*' }
    const child = execFile('git', ['clone', '--quiet', '--depth=1', `${server?.url}/git`, join(folder, to)], { env })
    child.once('exit', code => resolve(code ?? 1))
  })

beforeAll(async () => {
  commit = createRepository(join(folder, 'git'), { 'claims/first.yaml': 'first' })
  server = await serveRepositories(folder)
})
afterAll(() => {
  server?.close()
  rmSync(folder, { recursive: true, force: true })
})

test('serves each commit over smart HTTP', async () => {
  expect(await clone('one')).toBe(0)
  expect(readFileSync(join(folder, 'one/claims/first.yaml'), 'utf8')).toBe('first')
  commit?.({ 'claims/first.yaml': undefined, 'claims/second.yaml': 'second' })
  expect(await clone('two')).toBe(0)
  expect(execFileSync('git', ['ls-files', 'claims'], { cwd: join(folder, 'two'), encoding: 'utf8' })).toBe('claims/second.yaml\n')
})

test.each([
  { says: 'a repository that does not exist', path: '/other/info/refs?service=git-upload-pack', status: 404 },
  { says: 'a push', path: '/git/info/refs?service=git-receive-pack', status: 403 },
])('refuses $says', async ({ path, status }) => expect((await fetch(`${server?.url}${path}`)).status).toBe(status))
