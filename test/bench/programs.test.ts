import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { root } from '../fixtures/claim-files.ts'
import { built, own, peer } from './programs.ts'

test.each([
  {
    title: 'without a path',
    flag: 'function-go-templating',
    problem: "--peer: must be NAME=PATH, got 'function-go-templating'",
  },
  {
    title: 'without an input file',
    flag: 'other=/bin/sh',
    problem: '--peer: test/bench/peers/other.yaml with the input of other does not exist',
  },
  { title: 'with a missing program', flag: 'function-go-templating=/not/there', problem: '--peer: /not/there is not an executable file' },
  { title: 'with a folder as program', flag: 'function-go-templating=/', problem: '--peer: / is not an executable file' },
])('rejects a peer $title', ({ flag, problem }) => expect(() => peer(flag)).toThrow(new Error(problem)))

test('measures the bundle that was built', () => expect(built()).toEqual({ bundleBytes: expect.any(Number), version: own.version }))

test('reports an invalid flag in one line and measures nothing', () => {
  const args = ['--import', 'tsx', 'test/bench/main.ts', '--peer', 'nothing']
  expect(spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })).toMatchObject({
    status: 2,
    stdout: '',
    stderr: "npm run bench: --peer: must be NAME=PATH, got 'nothing'\n",
  })
})
