/** More than a field with a pattern may have. */
const LONGEST = 65_536

/** A pattern of a schema. Longer text than any field may have does not match: over millions of characters V8 can run out of stack. */
export function compilePattern(pattern: string) {
  const regexp = new RegExp(pattern, 'u')
  // ajv tells patterns apart by their text.
  return { test: (text: string) => text.length <= LONGEST && regexp.test(text), toString: () => pattern }
}
