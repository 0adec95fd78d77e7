// Generates command lines for `eds`, sensible or not.
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { root } from '../fixtures/claim-files.ts'

/** Creates files of every kind in the folder, except pipes, because reading one blocks. */
export function createFiles(folder: string): void {
  const claim = readFileSync(`${root}examples/minimal-claim.yaml`)
  mkdirSync(`${folder}/folder/inner`, { recursive: true })
  mkdirSync(`${folder}/none`)
  mkdirSync(`${folder}/folder.yaml`)
  for (const name of ['claim.yaml', 'folder/a.yml', 'folder/inner/b.json', '[x].yaml', '-o', '--', '{a,b}.yaml', 'locked.yaml', ' .yaml'])
    writeFileSync(`${folder}/${name}`, claim)
  writeFileSync(`${folder}/empty.yaml`, '')
  writeFileSync(`${folder}/binary.yaml`, Buffer.of(0, 1, 2))
  for (const [name, to] of [
    ['self', 'self'],
    ['gone.yaml', 'nowhere'],
    ['folder/up', '..'],
    ['one', 'two'],
    ['two', 'one'],
  ] as const)
    symlinkSync(to, `${folder}/${name}`)
  chmodSync(`${folder}/locked.yaml`, 0)
}

const paths = fc.oneof(
  fc.constantFrom(
    'claim.yaml',
    'folder',
    'folder/',
    './folder//',
    'folder/up',
    'none',
    'folder.yaml',
    '[x].yaml',
    'locked.yaml',
    'empty.yaml',
  ),
  fc.constantFrom(
    'binary.yaml',
    'self',
    'one',
    'gone.yaml',
    '.',
    '',
    ' ',
    '-',
    '--',
    '---',
    '/dev/null',
    '/dev/full',
    'claim.yaml/x',
    '\0',
    'a\0b',
  ),
  fc.constantFrom(
    '*.yaml',
    '**',
    '**/*',
    '**/**/**/*.y*ml',
    '[z-a]*',
    '[',
    '[]',
    '[!]',
    '[^',
    ']',
    '{',
    '{a',
    '{a,b}.yaml',
    '{,}',
    '{{a,b},c}',
    '?',
    '*',
  ),
  fc.constantFrom('x'.repeat(5000), '*'.repeat(200), '~', '$HOME', '%00', 'CON', '\uD800', '\\', '\\*', '**/'),
  // Stays inside the folder, because walking the whole disk takes too long.
  fc.string({ maxLength: 8 }).filter(path => !path.startsWith('/') && !path.includes('..')),
)

const commands = fc.constantFrom(
  'validate',
  'lint',
  'gitops',
  'check',
  'render',
  'import',
  'migrate',
  'validat',
  '',
  'help',
  '--help',
  '-h',
  '-V',
  '__proto__',
  'constructor',
  '--',
  '-',
)

const flags = fc.oneof(
  fc.constantFrom(
    '-o',
    '--output',
    '-n',
    '--namespace',
    '--environment',
    '--input',
    '--observed',
    '--schema',
    '--strict',
    '-q',
    '--quiet',
    '--adopt',
  ),
  fc.constantFrom(
    '--if-present',
    '--help',
    '-h',
    '-oq',
    '-qo',
    '--output=',
    '--output=json',
    '-ojson',
    '--strict=1',
    '--no-strict',
    '--__proto__',
    '-',
  ),
  fc.constantFrom(
    '--constructor=x',
    '--=',
    '--=x',
    '-=',
    '--toString',
    '--input=claim.yaml',
    '--input=folder',
    '--schema=claim.yaml',
    '--observed=none',
    '-n=',
  ),
  fc.constantFrom('text', 'json', 'yaml', 'github', 'sarif', 'junit', 'tree', 'production', 'knative', 'shop'),
)

export const commandLines: fc.Arbitrary<string[]> = fc
  .tuple(commands, fc.array(fc.oneof(paths, flags), { maxLength: 6 }))
  .map(([command, rest]) => [command, ...rest])
