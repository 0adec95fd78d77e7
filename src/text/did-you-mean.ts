// Longer words are not typing mistakes of a field or a flag, and the distance costs their product.
const LONGEST_WORD = 64

/** How many single edits may lie between what was typed and what was meant: a third of the word, so that `min` is not `max`. */
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

/** `image_pull_secret`, `ImagePullSecrets` and `image-pull-secrets` are one word to whoever wrote them. */
const fold = (word: string) =>
  word
    .toLowerCase()
    .replaceAll(/[-_\s]/g, '')
    .replace(/s$/, '')

/** The candidate that was most likely meant, for a "did you mean"; undefined where a guess would only confuse. */
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

// Spelling alone ranks before any edit; ties go to the first candidate, so the answer follows the order of the schema.
function closeness(candidate: string, lower: string, folded: string): number | undefined {
  const other = candidate.toLowerCase()
  if (other === lower) return 0
  if (folded !== '' && fold(candidate) === folded) return 0.5
  const limit = tolerance(lower)
  if (Math.abs(other.length - lower.length) > limit) return undefined
  const edits = distance(lower, other)
  return edits <= limit && edits < other.length ? edits : undefined
}
