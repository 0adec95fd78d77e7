import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { root } from '../fixtures/claim-files.ts'
import { built, own, peer } from './programs.ts'

test.each([
  {
    says: 'without a program',
    flag: 'function-go-templating',
    problem: "--peer: must be NAME=PATH, got 'function-go-templating'",
  },
  {
    says: 'whose input nobody wrote',
    flag: 'other=/bin/sh',
    problem: '--peer: test/bench/peers/other.yaml is missing, which has the input of other',
  },
  { says: 'that is not there', flag: 'function-go-templating=/not/there', problem: '--peer: /not/there is no program that can be run' },
  { says: 'that is a folder', flag: 'function-go-templating=/', problem: '--peer: / is no program that can be run' },
])('a peer $says is refused', ({ flag, problem }) => expect(() => peer(flag)).toThrow(new Error(problem)))

test('what is measured is what was built', () => expect(built()).toEqual({ bundleBytes: expect.any(Number), version: own.version }))

test('what is wrong with a flag is said in one line, and nothing is measured', () => {
  const args = ['--import', 'tsx', 'test/bench/main.ts', '--peer', 'nothing']
  expect(spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })).toMatchObject({
    status: 2,
    stdout: '',
    stderr: "npm run bench: --peer: must be NAME=PATH, got 'nothing'\n",
  })
})
