/** Longer than any pattern-checked field may be. */
const LONGEST = 65_536

/** Compiles a pattern of a schema. Text longer than any field may be does not match: V8 can run out of stack on millions of characters. */
export function compilePattern(pattern: string) {
  const regexp = new RegExp(pattern, 'u')
  // ajv identifies patterns by their text.
  return { test: (text: string) => text.length <= LONGEST && regexp.test(text), toString: () => pattern }
}
