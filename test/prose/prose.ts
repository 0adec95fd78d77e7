// The wording that wording.json keeps out of messages, comments, test titles and docs.
import wording from './wording.json' with { type: 'json' }

const phrases = wording.avoid.map(({ pattern, instead }) => ({
  regexp: new RegExp(`(?<![\\w-])(?:${pattern})(?![\\w-])`, 'i'),
  instead,
}))

/** Where the text has such wording, as `line: found -> instead`. */
export function badWording(text: string): string[] {
  return text.split('\n').flatMap((line, index) =>
    phrases.flatMap(({ regexp, instead }) => {
      const found = regexp.exec(line)?.[0]
      return found === undefined ? [] : [`${index + 1}: '${found.trim()}' -> ${instead}`]
    }),
  )
}
