// A file may contain any characters. Characters that move the cursor, start a new line or change the writing direction are
// escaped, and so are the commands of GitHub's runner, `::` at the start of a line and `##[` anywhere:
// https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]|:(?<=^\s*:)(?=:)|#(?<=##)(?=\[)/gu

/** The text on one line, with escapes for everything that a terminal or a CI job would execute. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
