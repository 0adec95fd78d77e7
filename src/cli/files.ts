// Reads the files that the command line names, and reports each unreadable file without stopping.
// Reading is synchronous because that halves the time for ten thousand small files.
import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readdirSync, readFileSync, readSync, type Stats, statSync } from 'node:fs'
import { normalize } from 'node:path'
import { hasMagic, parseGlob } from './glob.ts'
import type { Input } from './io.ts'

export interface TextFile {
  /** The path as the user would type it. */
  readonly file: string
  readonly text: string
}

export interface Unreadable {
  readonly file: string
  /** Why, such as `no such file`. */
  readonly reason: string
}

const MAX_MEBIBYTES = 64
const MAX_BYTES = MAX_MEBIBYTES * 1024 * 1024
const CHUNK_BYTES = 64 * 1024
const STDIN = '-'
const STDIN_NAME = '<stdin>'

/** Reads files, directories, globs and `-`, in this order, and each file once. */
export async function* readFiles(names: readonly string[], stdin: Input): AsyncGenerator<TextFile | Unreadable> {
  const seen = new Set<string>()
  for (const name of names) {
    if (name === STDIN) yield await readStdin(stdin)
    else yield* readNamed(name, seen)
  }
}

function* readNamed(name: string, seen: Set<string>): Generator<TextFile | Unreadable> {
  const expanded = attempt(name, () => expand(name))
  if (!Array.isArray(expanded)) return yield expanded
  for (const found of expanded) {
    const path = normalize(pathOf(found))
    if (seen.has(path)) continue
    seen.add(path)
    yield typeof found === 'string' ? readFile(found) : found
  }
}

const readFile = (file: string): TextFile | Unreadable => attempt(file, () => readExisting(file))

function readExisting(file: string): TextFile | Unreadable {
  const stats = statSync(file)
  if (stats.isDirectory()) return { file, reason: 'is a directory' }
  if (!isReadable(stats)) return { file, reason: 'is neither a file nor a pipe' }
  if (stats.size > MAX_BYTES) return tooBig(file)
  const bytes = stats.isFIFO() || stats.size === 0 ? readUnsized(file) : readFileSync(file)
  return bytes === undefined ? tooBig(file) : decode(file, bytes)
}

// A shell's <(command) is a pipe.
const isReadable = (stats: Stats) => stats.isFile() || stats.isFIFO()

/** Reads a file of unknown size, such as a pipe, which may never end; undefined if it is too large. */
function readUnsized(file: string): Buffer | undefined {
  const opened = openSync(file, 'r')
  try {
    const read: Buffer[] = []
    for (let size = 0; size <= MAX_BYTES; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const length = readSync(opened, chunk)
      if (length === 0) return Buffer.concat(read)
      size += length
      read.push(chunk.subarray(0, length))
    }
    return undefined
  } finally {
    closeSync(opened)
  }
}

async function readStdin({ chunks }: Input): Promise<TextFile | Unreadable> {
  const read: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > MAX_BYTES) return tooBig(STDIN_NAME)
    read.push(chunk)
  }
  return decode(STDIN_NAME, Buffer.concat(read))
}

const tooBig = (file: string): Unreadable => ({ file, reason: `is larger than ${MAX_MEBIBYTES} MiB` })

function decode(file: string, bytes: Buffer): TextFile | Unreadable {
  const mark = bytes.subarray(0, 2).toString('hex')
  // PowerShell's > writes UTF-16.
  if (mark === 'fffe' || mark === 'feff') return { file, reason: 'is UTF-16: save it as UTF-8' }
  if (bytes.includes(0)) return { file, reason: 'is binary, not YAML or JSON' }
  return isUtf8(bytes) ? { file, text: bytes.toString() } : { file, reason: 'is not UTF-8 text' }
}

/** A file, or a folder that cannot be listed. */
type Found = string | Unreadable

const pathOf = (found: Found) => (typeof found === 'string' ? found : found.file)

function expand(name: string): Found[] | Unreadable {
  const stats = statSync(name, { throwIfNoEntry: false })
  if (stats?.isDirectory()) {
    const files = walk(name.replace(/(?<=[^/])\/+$/, '')).filter(found => typeof found !== 'string' || isManifest(found))
    return files.length > 0 ? files : { file: name, reason: 'has no .yaml, .yml or .json files' }
  }
  if (stats !== undefined || !hasMagic(name)) return [name]
  const glob = parseGlob(name)
  if (glob === undefined) return { file: name, reason: 'is not a valid glob pattern' }
  const { base, matches } = glob
  const isFolder = statSync(base, { throwIfNoEntry: false })?.isDirectory()
  const files = isFolder ? walk(base).filter(found => typeof found !== 'string' || matches(found)) : []
  return files.length > 0 ? files : { file: name, reason: 'matches no file' }
}

const isManifest = (file: string) => /\.(?:ya?ml|json)$/i.test(file)
const isSkipped = (name: string) => name === 'node_modules' || name.startsWith('.')

/** Every file below a directory, by name. Links to directories are not followed because they may form a loop. */
function walk(directory: string): Found[] {
  const prefix = directory === '.' ? '' : directory.endsWith('/') ? directory : `${directory}/`
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap(entry => {
    if (isSkipped(entry.name)) return []
    const path = prefix + entry.name
    if (entry.isDirectory()) return attempt(path, () => walk(path))
    if (entry.isFile()) return [path]
    return entry.isSymbolicLink() && !pointsToDirectory(path) ? [path] : []
  })
}

/** A broken link counts as a file, so reading it reports the reason without hiding other files. */
function pointsToDirectory(link: string): boolean {
  try {
    return statSync(link).isDirectory()
  } catch {
    return false
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'is a link to itself',
  ENAMETOOLONG: 'has a name that is too long',
}

/** Turns an error of the operating system into a reason; any other error is a bug and is thrown. */
function attempt<T>(file: string, read: () => T): T | Unreadable {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error
    return { file, reason: reasons[error.code] ?? `cannot be read (${error.code})` }
  }
}
