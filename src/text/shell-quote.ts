/** For a POSIX shell, where the text would not be one word as it is. */
export const shellQuote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** A command that can be typed as it stands: whatever is put into it stays one word, or a part of one. */
export const shell = (text: TemplateStringsArray, ...words: readonly string[]): string =>
  String.raw({ raw: text }, ...words.map(shellQuote))
