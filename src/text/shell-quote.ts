/** Quotes a text for a POSIX shell, unless it is already one word. */
export const shellQuote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** A command that can be pasted: each inserted text stays one word, or part of one. */
export const shell = (text: TemplateStringsArray, ...words: readonly string[]): string =>
  String.raw({ raw: text }, ...words.map(shellQuote))
