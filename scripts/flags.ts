import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Parses the flags of a tool of this repository. An unknown flag ends the tool with a list of the known ones. */
export function flags<Options extends NonNullable<ParseArgsConfig['options']>>(tool: string, options: Options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    const names = Object.keys(options).map(name => `--${name}`)
    const accepted = names.length === 0 ? 'no flags' : names.join(', ')
    console.error(`${tool}: ${error instanceof Error ? error.message : error}\nAccepted: ${accepted}.`)
    process.exit(2)
  }
}
