// How long builds take, and how much memory the whole set-up needs. Printed, never asserted.
import { readdirSync, readFileSync } from 'node:fs'

const seconds: number[] = []

/** Runs it, and remembers how long it took from the commit until the claim is ready. */
export async function measured<T>(untilReady: () => Promise<T>): Promise<T> {
  const began = Date.now()
  const result = await untilReady()
  seconds.push((Date.now() - began) / 1000)
  return result
}

const quantile = (sorted: readonly number[], part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN

/** The memory of all processes in the namespaces of the run: each page counts once for those that share it. */
function memory(): number {
  const kilobytes = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
      } catch {
        return 0
      }
    })
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024
}

export function figures(): string {
  const sorted = seconds.toSorted((a, b) => a - b)
  const [half, most] = [quantile(sorted, 0.5), quantile(sorted, 0.95)].map(value => value.toFixed(1))
  return `from commit to Ready: p50 ${half} s, p95 ${most} s of ${sorted.length} builds; memory of everything: ${Math.round(memory())} MiB`
}
