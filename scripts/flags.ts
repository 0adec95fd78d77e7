import { type ParseArgsConfig, parseArgs } from 'node:util'

/** The flags of a tool of this repository. One that it does not know ends it with a line that says which it does. */
export function flags<Options extends NonNullable<ParseArgsConfig['options']>>(tool: string, options: Options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    const known = Object.keys(options).map(name => `--${name}`)
    const takes = known.length === 0 ? 'no flags' : known.join(', ')
    console.error(`${tool}: ${error instanceof Error ? error.message : error}\nIt takes ${takes}.`)
    process.exit(2)
  }
}
