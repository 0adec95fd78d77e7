// The lines of a text that are not in the text before it.

/** The lines of `now` that were added or changed, counted from 0. */
export function changedLines(before: string, now: string): Set<number> {
  const [a, b] = [before.split('\n'), now.split('\n')]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const kept = commonLines(a.slice(start, a.length - end), b.slice(start, b.length - end))
  const changed = new Set<number>()
  for (let line = start; line < b.length - end; line++) if (!kept.has(line - start)) changed.add(line)
  return changed
}

/** The lines of `b` that belong to a longest common subsequence of both. */
function commonLines(a: readonly string[], b: readonly string[]): Set<number> {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    const row = lengths[i] as Uint16Array
    for (let j = b.length - 1; j >= 0; j--) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  }
  const common = new Set<number>()
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      common.add(j)
      i++
      j++
    } else if (at(i + 1, j) >= at(i, j + 1)) i++
    else j++
  }
  return common
}
