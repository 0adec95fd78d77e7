import { describe, expect, test } from 'vitest'
import { command } from '../../src/cli/command.ts'
import { eds } from '../../src/cli/eds.ts'
import { recorded } from './io.ts'

const greet = command({
  name: 'greet',
  summary: 'Greet somebody.',
  operands: '[NAME]...',
  examples: ['eds greet world'],
  options: {
    output: { type: 'string', short: 'o', choices: ['short', 'long'], description: 'how to greet' },
    from: { type: 'string', value: 'NAME', description: 'who greets' },
    loud: { type: 'boolean', description: 'greet loudly' },
  },
  run({ values, operands }, { stdout }) {
    stdout.write(JSON.stringify({ ...values, operands }))
    return operands.length > 0 ? 0 : 1
  },
})

describe('a command accepts', () => {
  test.each([
    { title: 'operands', args: ['a', 'b'], given: { operands: ['a', 'b'] }, exit: 0 },
    { title: 'no operands', args: [], given: { operands: [] }, exit: 1 },
    {
      title: 'flags before, between and after',
      args: ['-o', 'long', 'a', '--loud', 'b', '--from=c'],
      given: { output: 'long', loud: true, from: 'c', operands: ['a', 'b'] },
      exit: 0,
    },
    { title: 'standard input as a value and as an operand', args: ['--from', '-', '-'], given: { from: '-', operands: ['-'] }, exit: 0 },
    { title: 'a value that looks like a flag after =', args: ['--from=--x', 'a'], given: { from: '--x', operands: ['a'] }, exit: 0 },
    { title: 'an operand that looks like a flag after --', args: ['--', '--loud'], given: { operands: ['--loud'] }, exit: 0 },
    {
      title: 'the last value of a repeated flag',
      args: ['-oshort', '-o', 'long', 'a'],
      given: { output: 'long', operands: ['a'] },
      exit: 0,
    },
  ])('$title', async ({ args, given, exit }) => {
    const { io, stdout } = recorded()
    expect(await greet.execute(args, io)).toBe(exit)
    expect(JSON.parse(stdout())).toEqual(given)
  })
})

describe('a command rejects', () => {
  test.each([
    { title: 'an unknown flag', args: ['--outptu', 'x'], because: 'unknown flag --outptu, did you mean --output?' },
    { title: 'an unknown flag without a similar one', args: ['-x'], because: 'unknown flag -x' },
    { title: 'a flag named like a property of Object', args: ['--constructor'], because: 'unknown flag --constructor' },
    {
      title: 'a value that is not allowed',
      args: ['-o', 'lnog'],
      because: "-o must be one of [short, long], got 'lnog'; did you mean long?",
    },
    { title: 'a missing value at the end', args: ['--from'], because: '--from needs a value: NAME' },
    { title: 'a missing value before a flag', args: ['--output', '--loud'], because: '--output needs a value: short, long' },
    { title: 'a value for a boolean flag', args: ['--loud=very'], because: "--loud takes no value, got 'very'" },
  ])('$title', async ({ args, because }) => {
    const { io, stdout, stderr } = recorded()
    expect(await greet.execute(args, io)).toBe(2)
    expect(stdout()).toBe('')
    expect(stderr()).toBe(`eds greet: ${because}\nSee: eds greet --help\n`)
  })

  test('operands if it takes none', async () => {
    const bare = command({ name: 'bare', summary: '', examples: [], options: {}, run: () => 0 })
    const { io, stderr } = recorded()
    expect(await bare.execute(['x'], io)).toBe(2)
    expect(stderr()).toContain("takes no arguments, got 'x'")
  })
})

test('--help shows usage, flags and an example', async () => {
  const { io, stdout } = recorded()
  expect(await greet.execute(['--help'], io)).toBe(0)
  expect(stdout()).toBe(`Greet somebody.

Usage: eds greet [NAME]... [flags]

Flags:
  -o, --output short|long  how to greet
      --from NAME          who greets
      --loud               greet loudly
  -h, --help               show this help

Examples:
  eds greet world
`)
})

describe('eds', () => {
  test.each([
    { title: 'shows its version', args: ['--version'], exit: 0, stdout: /^\d+\.\d+\.\d+\n$/ },
    { title: 'shows its help', args: ['--help'], exit: 0, stdout: /Commands:\n.* {2}render .*Example:\n/s },
    { title: 'shows the help of a command', args: ['help', 'render'], exit: 0, stdout: /Usage: eds render .*Examples:\n/s },
    { title: 'shows the help of a command with -h', args: ['render', '-h'], exit: 0, stdout: /Usage: eds render / },
    { title: 'requires a command', args: [], exit: 2, stderr: /Usage: eds COMMAND/ },
    {
      title: 'suggests a similar command',
      args: ['rneder'],
      exit: 2,
      stderr: "eds: unknown command 'rneder', did you mean 'render'?\nSee: eds --help\n",
    },
    {
      title: 'suggests a similar flag',
      args: ['--verison'],
      exit: 2,
      stderr: "eds: unknown flag '--verison', did you mean '--version'?\nSee: eds --help\n",
    },
    {
      title: 'suggests nothing for an unlike name',
      args: ['frobnicate'],
      exit: 2,
      stderr: "eds: unknown command 'frobnicate'\nSee: eds --help\n",
    },
  ])('$title', async ({ args, exit, stdout = /^$/, stderr = /^$/ }) => {
    const run = recorded()
    expect(await eds(args, run.io)).toBe(exit)
    expect(run.stdout()).toMatch(stdout)
    expect(run.stderr()).toMatch(stderr)
  })
})
