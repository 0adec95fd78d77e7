// Shells expand globs; a quoted one, a script on Windows and a CI file do not. Node 20 has no glob that is not experimental.

const TOKEN = /\*\*\/|\*\*|\*|\?|\[[^\]]+\]|\{[^{}]*\}|./gs

export const hasMagic = (pattern: string): boolean => /[*?[{]/.test(pattern)

/** The directory that every match lies in, and what a path below it has to look like. */
export function parseGlob(pattern: string): { base: string; matches: (path: string) => boolean } {
  const parts = pattern.replace(/^(?:\.\/)+/, '').split('/')
  const fixed = parts.slice(0, -1)
  const magic = fixed.findIndex(hasMagic)
  const base = (magic === -1 ? fixed : fixed.slice(0, magic)).join('/')
  const regexp = new RegExp(`^${source(parts.join('/'))}$`)
  return { base: base === '' ? (pattern.startsWith('/') ? '/' : '.') : base, matches: path => regexp.test(path) }
}

const source = (pattern: string): string => Array.from(pattern.matchAll(TOKEN), ([token]) => translate(token)).join('')

function translate(token: string): string {
  if (token === '**/') return '(?:[^/]+/)*'
  if (token === '**') return '.*'
  if (token === '*') return '[^/]*'
  if (token === '?') return '[^/]'
  if (token.startsWith('[') && token.length > 1) return `[${token.slice(1, -1).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`
  if (token.startsWith('{') && token.length > 1) return `(?:${token.slice(1, -1).split(',').map(source).join('|')})`
  return token.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
