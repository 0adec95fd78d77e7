import { type ParseArgsConfig, parseArgs } from 'node:util'
import { didYouMean } from '../text/did-you-mean.ts'
import type { ExitCode, Io } from './io.ts'
import { CommandError, note } from './stderr.ts'

export interface Option {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** The placeholder of the value in the help, such as FILE. */
  readonly value?: string
  readonly choices?: readonly string[]
  readonly description: string
}

export type Options = Readonly<Record<string, Option>>

export type Values<O extends Options> = {
  readonly [Name in keyof O]?: O[Name]['type'] extends 'boolean'
    ? boolean
    : O[Name] extends { readonly choices: readonly (infer Choice)[] }
      ? Choice
      : string
}

export interface Definition<O extends Options> {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** The operands of the command, such as `[FILE|DIR|GLOB|-]...`; undefined if it takes none. */
  readonly operands?: string
  readonly details?: string
  readonly examples: readonly string[]
  readonly options: O
  readonly run: (parsed: { readonly values: Values<O>; readonly operands: readonly string[] }, io: Io) => ExitCode | Promise<ExitCode>
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly execute: (args: readonly string[], io: Io) => Promise<ExitCode>
}

/** Builds a command that checks its flags before it runs, and prints its help. */
export function command<const O extends Options>(definition: Definition<O>): Command {
  const { name, summary, run } = definition
  return {
    name,
    summary,
    async execute(args, io) {
      const parsed = parse(definition, args)
      if ('mistake' in parsed) {
        note(io, `eds ${name}: ${parsed.mistake}`)
        note(io, `See: eds ${name} --help`)
        return 2
      }
      if (parsed.help) {
        io.stdout.write(help(definition))
        return 0
      }
      try {
        return await run(parsed, io)
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
        if (error.message !== '') note(io, error.message)
        return error.exitCode
      }
    },
  }
}

type Parsed<O extends Options> = { readonly help: boolean; readonly values: Values<O>; readonly operands: readonly string[] }

const HELP = { type: 'boolean', short: 'h', description: 'show this help' } as const satisfies Option

function parse<O extends Options>({ options, operands }: Definition<O>, args: readonly string[]): Parsed<O> | { mistake: string } {
  const all: Options = { ...options, help: HELP }
  const config = { args: [...args], options: toConfig(all), allowPositionals: true, strict: false, tokens: true } as const
  const { values, positionals, tokens } = parseArgs(config)
  // Parses leniently and checks here, because the errors of node:util name neither suggestions nor allowed values.
  for (const token of tokens) {
    const mistake = token.kind === 'option' ? mistakeOf(token, all) : undefined
    if (mistake !== undefined) return { mistake }
  }
  const [first] = positionals
  if (operands === undefined && first !== undefined) return { mistake: `takes no arguments, got '${first}'` }
  return { help: values.help === true, values: values as Values<O>, operands: positionals }
}

const toConfig = (options: Options): NonNullable<ParseArgsConfig['options']> =>
  Object.fromEntries(Object.entries(options).map(([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }]))

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function mistakeOf({ name, rawName, value, inlineValue }: OptionToken, options: Options): string | undefined {
  const option = Object.hasOwn(options, name) ? options[name] : undefined
  if (option === undefined) {
    const near = didYouMean(name, Object.keys(options))
    return `unknown flag ${rawName}${near === undefined ? '' : `, did you mean --${near}?`}`
  }
  if (option.type === 'boolean') return value === undefined ? undefined : `${rawName} takes no value, got '${value}'`
  const { choices } = option
  if (value === undefined || (inlineValue !== true && /^-./.test(value)))
    return `${rawName} needs a value: ${choices?.join(', ') ?? option.value}`
  if (choices === undefined || choices.includes(value)) return undefined
  const near = didYouMean(value, choices)
  return `${rawName} must be one of [${choices.join(', ')}], got '${value}'${near === undefined ? '' : `; did you mean ${near}?`}`
}

function help<O extends Options>({ name, summary, operands, details, examples, options }: Definition<O>): string {
  const rows = Object.entries<Option>({ ...options, help: HELP }).map(([long, { short, value, choices, description }]) => {
    const operand = choices?.join('|') ?? value
    return { flag: `${short === undefined ? '    ' : `-${short}, `}--${long}${operand === undefined ? '' : ` ${operand}`}`, description }
  })
  const width = Math.max(...rows.map(({ flag }) => flag.length))
  return [
    `${summary}\n`,
    `Usage: eds ${name}${operands === undefined ? '' : ` ${operands}`} [flags]\n`,
    ...(details === undefined ? [] : [`${details}\n`]),
    'Flags:',
    ...rows.map(({ flag, description }) => `  ${flag.padEnd(width)}  ${description}`),
    '\nExamples:',
    ...examples.map(example => `  ${example}`),
    '',
  ].join('\n')
}
