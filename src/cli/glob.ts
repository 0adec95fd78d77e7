// Expands globs that no shell expands: quoted ones, on Windows and in CI files. fs.globSync does the same, but Node 20 lacks it:
// remove this file when `engines` in package.json moves to Node 22 (22.17, the first with a stable fs.globSync).

const TOKEN = /(?:\*\*\/)+|\*\*|\*|\?|\[[^\][]+\]|\{[^{}]*\}|./gs

export const hasMagic = (pattern: string): boolean => /[*?[{]/.test(pattern)

export interface Glob {
  /** The directory that every match lies in. */
  readonly base: string
  readonly matches: (path: string) => boolean
}

/** Undefined for what is no pattern, such as the range `[z-a]`. Where a backslash parts folders it does here, too. */
export function parseGlob(written: string, platform = process.platform): Glob | undefined {
  const pattern = platform === 'win32' ? written.replaceAll('\\', '/') : written
  const parts = pattern.replace(/^(?:\.\/)+/, '').split('/')
  const fixed = parts.slice(0, -1)
  const magic = fixed.findIndex(hasMagic)
  const base = (magic === -1 ? fixed : fixed.slice(0, magic)).join('/')
  const regexp = compile(source(parts.join('/')))
  if (regexp === undefined) return undefined
  return { base: base === '' ? (pattern.startsWith('/') ? '/' : '.') : base, matches: path => regexp.test(path) }
}

function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(`^${source}$`)
  } catch {
    return undefined
  }
}

const source = (pattern: string): string => Array.from(pattern.matchAll(TOKEN), ([token]) => translate(token)).join('')

function translate(token: string): string {
  if (token.startsWith('**/')) return '(?:[^/]+/)*'
  if (token === '**') return '.*'
  if (token === '*') return '[^/]*'
  if (token === '?') return '[^/]'
  if (token.startsWith('[') && token.length > 1) return `[${token.slice(1, -1).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`
  if (token.startsWith('{') && token.length > 1) return `(?:${token.slice(1, -1).split(',').map(source).join('|')})`
  return token.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
