// A file may hold anything. What moves the cursor, starts a new line or turns the direction of writing is shown, not done;
// so is what the runner of GitHub takes for a command, `::` at the start of a line and `##[` anywhere:
// https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]|:(?<=^\s*:)(?=:)|#(?<=##)(?=\[)/gu

/** The text on one line, with what a terminal or a job would obey written as an escape. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
