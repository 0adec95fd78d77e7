// Our own: leven and fastest-levenshtein count swapped letters (`iamge`) as two edits, and neither ranks case and plurals first.

// Longer words are not misspelt fields or flags, and the distance takes time proportional to the product of both lengths.
const LONGEST_WORD = 64

/** The maximum number of edits between a misspelt word and the suggestion: a third of the word, so that `min` does not suggest `max`. */
const tolerance = (word: string) => Math.min(3, Math.max(1, Math.floor(word.length / 3)))

/** Damerau-Levenshtein distance (optimal string alignment): insert, delete, replace, or swap two neighbours. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const least = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      current.push(swapped ? Math.min(least, (before[j - 2] ?? 0) + 1) : least)
    }
    before = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

/** Folds spellings of the same word, such as `image_pull_secret`, `ImagePullSecrets` and `image-pull-secrets`. */
const fold = (word: string) =>
  word
    .toLowerCase()
    .replaceAll(/[-_\s]/g, '')
    .replace(/s$/, '')

/** The candidate that was most likely meant, or undefined if no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > LONGEST_WORD) return undefined
  const lower = word.toLowerCase()
  const folded = fold(word)
  let best: { candidate: string; score: number } | undefined
  for (const candidate of candidates) {
    if (candidate === word || candidate.length > LONGEST_WORD) continue
    const score = closeness(candidate, lower, folded)
    if (score !== undefined && (best === undefined || score < best.score)) best = { candidate, score }
  }
  return best?.candidate
}

// A different spelling ranks before any edit; ties go to the first candidate, so the result follows the order of the schema.
function closeness(candidate: string, lower: string, folded: string): number | undefined {
  const other = candidate.toLowerCase()
  if (other === lower) return 0
  if (folded !== '' && fold(candidate) === folded) return 0.5
  const limit = tolerance(lower)
  if (Math.abs(other.length - lower.length) > limit) return undefined
  const edits = distance(lower, other)
  return edits <= limit && edits < other.length ? edits : undefined
}
