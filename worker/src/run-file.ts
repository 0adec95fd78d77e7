#!/usr/bin/env node
// eds-worker [FILE]: serves the handler that a module exports, so that a repository needs no code but its handler.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { reasonOf, SetupError } from './errors.ts'
import { type ServeOptions, serve } from './serve.ts'

const options = [
  'schemas',
  'concurrency',
  'retry',
  'idempotency',
  'plainType',
  'source',
  'prefetch',
] as const satisfies readonly (keyof ServeOptions)[]

/** The `main` of package.json, as Node.js itself would load the folder. */
function mainFile(): string {
  try {
    const { main } = JSON.parse(readFileSync('package.json', 'utf8'))
    return typeof main === 'string' ? main : 'index.js'
  } catch {
    return 'index.js'
  }
}

async function load(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    throw new SetupError(`cannot load ${file}: ${reasonOf(error)}`, { cause: error })
  }
}

/** A CommonJS module may set its exports at run time, and Node.js then finds them only below default. */
function exported(module: Readonly<Record<string, unknown>>, name: string): unknown {
  const { default: whole } = module
  return module[name] ?? (typeof whole === 'object' && whole !== null ? (whole as Record<string, unknown>)[name] : undefined)
}

async function start(file: string): Promise<void> {
  const module = await load(file)
  const handler = exported(module, 'handler') ?? module.default
  if (typeof handler !== 'function') throw new SetupError(`${file} exports no handler: export async function handler(event, context) { … }`)
  const found = options.flatMap(name => {
    const value = exported(module, name)
    return value === undefined ? [] : [[name, value]]
  })
  await serve({ ...Object.fromEntries(found), handler: handler as ServeOptions['handler'] })
}

const [file = mainFile(), ...more] = process.argv.slice(2)
if (more.length > 0 || file.startsWith('-')) {
  console.error('Usage: eds-worker [FILE]\n\nServes the handler that FILE exports: by default the main of package.json, else index.js.')
  process.exit(file === '--help' || file === '-h' ? 0 : 2)
}
start(file).catch(error => {
  console.error(error instanceof SetupError ? error.message : error)
  process.exit(1)
})
