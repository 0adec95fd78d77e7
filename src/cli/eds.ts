import manifest from '../../package.json' with { type: 'json' }
import { didYouMean } from '../text/did-you-mean.ts'
import { build } from './build.ts'
import { diff } from './diff.ts'
import { doctor } from './doctor.ts'
import { gitops } from './gitops.ts'
import { importClaim } from './import.ts'
import type { ExitCode, Io } from './io.ts'
import { lint } from './lint.ts'
import { migrate } from './migrate.ts'
import { create } from './new.ts'
import { render } from './render.ts'
import { schema } from './schema.ts'
import { note } from './stderr.ts'
import { validate } from './validate.ts'
import { wait } from './wait.ts'
import { why } from './why.ts'

const commands = [create, validate, lint, gitops, render, importClaim, migrate, schema, diff, why, wait, build, doctor]

const usage = (): string => {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'The command line of the EventDrivenService: validates and renders claims without a cluster, and checks a cluster.\n',
    'Usage: eds COMMAND [ARGUMENTS] [FLAGS]\n',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '\nFlags:',
    '  -h, --help     show this help, or the help of a command: eds COMMAND --help',
    '  -V, --version  show the version',
    '\nExample:',
    '  eds render claim.yaml -o tree',
    '',
  ].join('\n')
}

/** Runs the program, independent of the process. */
export async function eds([name, ...args]: readonly string[], io: Io): Promise<ExitCode> {
  if (name === undefined) {
    io.stderr.write(usage())
    return 2
  }
  if (name === '--help' || name === '-h' || name === 'help') return helpOn(args[0], io)
  if (name === '--version' || name === '-V') return say(io, `${manifest.version}\n`)
  const command = commands.find(command => command.name === name)
  return command === undefined ? refuse(io, name) : command.execute(args, io)
}

function helpOn(name: string | undefined, io: Io): ExitCode | Promise<ExitCode> {
  if (name === undefined) return say(io, usage())
  const command = commands.find(command => command.name === name)
  return command === undefined ? refuse(io, name) : command.execute(['--help'], io)
}

function refuse(io: Io, name: string): ExitCode {
  const what = name.startsWith('-') ? 'flag' : 'command'
  const near = didYouMean(name, name.startsWith('-') ? ['--help', '--version'] : commands.map(command => command.name))
  note(io, `eds: unknown ${what} '${name}'${near === undefined ? '' : `, did you mean '${near}'?`}`)
  note(io, 'See: eds --help')
  return 2
}

function say({ stdout }: Io, text: string): ExitCode {
  stdout.write(text)
  return 0
}
