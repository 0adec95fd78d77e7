import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFiles } from '../../src/cli/files.ts'
import { parseGlob } from '../../src/cli/glob.ts'

const folder = mkdtempSync(join(tmpdir(), 'eds-files-'))
const start = process.cwd()

const files: Readonly<Record<string, string | Uint8Array>> = {
  'a.yaml': 'a',
  'b.yml': 'b',
  'c.json': '{}',
  'd.txt': 'd',
  'deep/er/e.yaml': 'e',
  'deep/f.YAML': 'f',
  'node_modules/x/g.yaml': 'g',
  '.git/h.yaml': 'h',
  'none/readme.md': 'i',
  'odd [1].yaml': 'j',
  'wrong/binary.yaml': Uint8Array.of(0x61, 0, 0x62),
  'wrong/latin.yaml': Uint8Array.of(0x61, 0xe9),
  'wrong/utf16.yaml': Uint8Array.of(0xff, 0xfe, 0x61, 0),
  'wrong/huge.yaml': '',
}

beforeAll(() => {
  process.chdir(folder)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(name), { recursive: true })
    writeFileSync(name, content)
  }
  truncateSync('wrong/huge.yaml', 64 * 1024 * 1024 + 1)
  symlinkSync('..', 'deep/loop')
  symlinkSync('../a.yaml', 'deep/linked.yaml')
  symlinkSync('self', 'self')
})

afterAll(() => {
  process.chdir(start)
  rmSync(folder, { recursive: true })
})

async function* byByte(text: string) {
  for (const byte of Buffer.from(text)) yield Uint8Array.of(byte)
}

async function read(names: readonly string[], chunks: AsyncIterable<Uint8Array> = byByte('')): Promise<string[]> {
  const found: string[] = []
  for await (const one of readFiles(names, { chunks, isTerminal: false }))
    found.push(`${one.file}: ${'text' in one ? one.text : one.reason}`)
  return found
}

describe('reads', () => {
  test.each([
    { title: 'a file with any extension', names: ['d.txt'], found: ['d.txt: d'] },
    {
      title: 'files in the given order, each once',
      names: ['c.json', 'a.yaml', './c.json'],
      found: ['c.json: {}', 'a.yaml: a'],
    },
    {
      title: 'a directory recursively, without hidden folders and node_modules',
      names: ['.'],
      found: ['a.yaml: a', 'b.yml: b', 'c.json: {}', 'deep/er/e.yaml: e', 'deep/f.YAML: f', 'deep/linked.yaml: a', 'odd [1].yaml: j'],
      without: /^wrong/,
    },
    { title: 'a directory with a trailing slash', names: ['deep/er//'], found: ['deep/er/e.yaml: e'] },
    { title: 'node_modules if it is named', names: ['node_modules'], found: ['node_modules/x/g.yaml: g'] },
    { title: 'a glob', names: ['*.y{a,}ml'], found: ['a.yaml: a', 'b.yml: b', 'odd [1].yaml: j'] },
    { title: 'a glob across directories', names: ['**/e.yaml', './deep/**/e*'], found: ['deep/er/e.yaml: e'] },
    { title: 'a file whose name looks like a glob', names: ['odd [1].yaml'], found: ['odd [1].yaml: j'] },
    { title: 'standard input in chunks of any size', names: ['-', 'a.yaml'], stdin: 'ü: 1', found: ['<stdin>: ü: 1', 'a.yaml: a'] },
  ])('$title', async ({ names, found, stdin, without }) => {
    expect((await read(names, byByte(stdin ?? ''))).filter(line => without === undefined || !without.test(line))).toEqual(found)
  })
})

describe('reports the reason and continues for', () => {
  test.each([
    { title: 'a missing file', name: 'nope.yaml', reason: 'no such file or directory' },
    { title: 'a file below a file', name: 'a.yaml/b', reason: 'no such file or directory' },
    { title: 'a glob without a match', name: 'nope/*.yaml', reason: 'matches no file' },
    { title: 'a glob with a reversed range', name: '[z-a]*', reason: 'is not a valid glob pattern' },
    { title: 'a directory without manifests', name: 'none', reason: 'has no .yaml, .yml or .json files' },
    { title: 'a link to itself', name: 'self', reason: 'is a link to itself' },
    { title: 'a device', name: '/dev/null', reason: 'is neither a file nor a pipe' },
    { title: 'a binary file', name: 'wrong/binary.yaml', reason: 'is binary, not YAML or JSON' },
    { title: 'a file in another encoding', name: 'wrong/latin.yaml', reason: 'is not UTF-8 text' },
    { title: 'UTF-16, as PowerShell writes it', name: 'wrong/utf16.yaml', reason: 'is UTF-16: save it as UTF-8' },
    { title: 'a file larger than the limit', name: 'wrong/huge.yaml', reason: 'is larger than 64 MiB' },
  ])('$title', async ({ name, reason }) => {
    expect(await read([name, 'a.yaml'])).toEqual([`${name}: ${reason}`, 'a.yaml: a'])
  })
})

test('reads the other folders if one may not be listed', async () => {
  const open = mkdtempSync(join(tmpdir(), 'eds-locked-'))
  chmodSync(open, 0o755)
  for (const name of ['a', 'locked', 'z']) mkdirSync(join(open, name))
  for (const name of ['a', 'z']) writeFileSync(join(open, name, 'x.yaml'), name)
  chmodSync(join(open, 'locked'), 0)
  // Permissions do not restrict root.
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(NOBODY)
  try {
    for (const name of [open, `${open}/**/*.yaml`])
      expect(await read([name])).toEqual([`${open}/a/x.yaml: a`, `${open}/locked: permission denied`, `${open}/z/x.yaml: z`])
  } finally {
    if (isRoot) process.seteuid?.(0)
    rmSync(open, { recursive: true })
  }
})
const NOBODY = 65_534

test('reads a pipe of the shell like a file', async () => {
  execFileSync('mkfifo', ['pipe'])
  spawn('sh', ['-c', 'echo piped > pipe'], { stdio: 'ignore' })
  expect(await read(['pipe'])).toEqual(['pipe: piped\n'])
})

test('stops reading an endless pipe at the limit', async () => {
  execFileSync('mkfifo', ['endless'])
  const writer = spawn('sh', ['-c', 'exec head -c 1G /dev/zero > endless'], { stdio: 'ignore' })
  const ended = once(writer, 'exit')
  expect(await read(['endless'])).toEqual(['endless: is larger than 64 MiB'])
  expect(await ended).toEqual([null, 'SIGPIPE'])
})

test('stops reading standard input at the limit', async () => {
  const chunks = (async function* () {
    for (let count = 0; count < 100; count++) yield new Uint8Array(1024 * 1024)
  })()
  expect(await read(['-'], chunks)).toEqual(['<stdin>: is larger than 64 MiB'])
})

describe('a glob', () => {
  test.each([
    { pattern: '*.yaml', base: '.', yes: ['a.yaml', '[x].yaml'], no: ['a/b.yaml', 'a.yamlx', 'ayaml'] },
    { pattern: 'x/**/*.yaml', base: 'x', yes: ['x/a.yaml', 'x/y/z/a.yaml'], no: ['a.yaml', 'y/x/a.yaml'] },
    { pattern: '../x/?.y*ml', base: '../x', yes: ['../x/a.yml'], no: ['../x/ab.yml', 'x/a.yml'] },
    { pattern: '/x/[!a-c]{1,22}.json', base: '/x', yes: ['/x/d22.json'], no: ['/x/a1.json', '/x/d2.json'] },
    { pattern: 'x/**', base: 'x', yes: ['x/a', 'x/y/b'], no: ['y/a'] },
    { pattern: 'a+(b)$.{x,y*}', base: '.', yes: ['a+(b)$.x', 'a+(b)$.yes'], no: ['aab$.x'] },
    { pattern: 'x[', base: '.', yes: ['x['], no: ['x'] },
  ])('$pattern', ({ pattern, base, yes, no }) => {
    const glob = parseGlob(pattern)
    expect(glob?.base).toBe(base)
    expect(yes.filter(path => glob?.matches(path) !== true)).toEqual([])
    expect(no.filter(path => glob?.matches(path))).toEqual([])
  })

  test.each([
    { platform: 'win32', pattern: 'claims\\*.yaml', base: 'claims', matches: true },
    { platform: 'win32', pattern: '.\\claims\\**\\*.yaml', base: 'claims', matches: true },
    { platform: 'win32', pattern: 'claims/*.yaml', base: 'claims', matches: true },
    { platform: 'linux', pattern: 'claims\\*.yaml', base: '.', matches: false },
  ] as const)('$pattern on $platform', ({ platform, pattern, base, matches }) => {
    const glob = parseGlob(pattern, platform)
    expect([glob?.base, glob?.matches('claims/a.yaml')]).toEqual([base, matches])
  })
})
