import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

let folder = ''
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'make-once-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

const module = new URL('../e2e/make-once.ts', import.meta.url).href

/** A process that makes the file, and notes it. */
function maker(takesMs: number): ChildProcess {
  const program = `
    import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
    import { makeOnce } from '${module}'
    await makeOnce('${folder}/program', async () => {
      appendFileSync('${folder}/made', process.pid + '\\n')
      await new Promise(resolve => setTimeout(resolve, ${takesMs}))
      writeFileSync('${folder}/aside', 'done')
      renameSync('${folder}/aside', '${folder}/program')
    })`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], { stdio: 'inherit' })
  children.push(child)
  return child
}

const made = () => (existsSync(join(folder, 'made')) ? readFileSync(join(folder, 'made'), 'utf8').trim().split('\n') : [])
const exitCodes = (all: readonly ChildProcess[]) => Promise.all(all.map(async child => (await once(child, 'exit'))[0]))

test('of several processes one makes the file, and each ends with it', async () => {
  expect(await exitCodes([maker(500), maker(500), maker(500)])).toEqual([0, 0, 0])
  expect(made()).toHaveLength(1)
  expect(existsSync(join(folder, 'program.lock'))).toBe(false)
})

test('another process goes on after one that was killed', async () => {
  const first = maker(60_000)
  await vi.waitUntil(() => made().length === 1, { timeout: 20_000 })
  const second = maker(0)
  first.kill('SIGKILL')
  expect(await exitCodes([second])).toEqual([0])
  expect(made()).toEqual([first.pid, second.pid].map(String))
})

test('a lock that was never written to is not waited for', async () => {
  const lock = join(folder, 'program.lock')
  writeFileSync(lock, '')
  utimesSync(lock, new Date(0), new Date(0))
  expect(await exitCodes([maker(0)])).toEqual([0])
})
