import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { command } from './command.ts'
import type { ExitCode } from './io.ts'
import { packaged } from './packaged.ts'
import { CommandError } from './stderr.ts'

/** A claim may have such a name, with room for what its objects add to it. */
const NAME = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/
/** Kubernetes uses these names itself. */
const RESERVED = ['default', 'kubernetes']
/** npm leaves out files of these names. */
const renamed: Readonly<Record<string, string>> = { gitignore: '.gitignore', dockerignore: '.dockerignore' }

export const create = command({
  name: 'new',
  summary: 'Write a project for a worker.',
  operands: 'worker NAME',
  details:
    'Writes the folder NAME: a worker in TypeScript for events of NATS JetStream, with a test, a Dockerfile and a claim.\n' +
    'The README of the project has the next steps.',
  examples: ['eds new worker orders-worker'],
  options: {},
  run({ operands: [kind, name, ...more] }, { stdout }): ExitCode {
    if (kind !== 'worker' || name === undefined || more.length > 0) throw new CommandError(2, 'eds new: expects: eds new worker NAME')
    if (!NAME.test(name) || RESERVED.includes(name))
      throw new CommandError(
        2,
        `eds new: '${name}' cannot be the name of a claim: it must consist of at most 40 letters a-z, digits and -, begin with a letter, ` +
          `not end with -, and not be ${RESERVED.join(' or ')}`,
      )
    if (existsSync(name)) throw new CommandError(2, `eds new: ${name} exists`)
    const from = packaged('templates/worker')
    for (const file of filesIn(from)) {
      const to = join(name, renamed[file] ?? file)
      mkdirSync(dirname(to), { recursive: true })
      writeFileSync(to, readFileSync(join(from, file), 'utf8').replaceAll('{{name}}', name))
    }
    stdout.write(`Wrote ${name}. Next:\n\n  cd ${name}\n  npm install\n  npm test\n`)
    return 0
  },
})

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
