import { type Loss, tableOf } from '../load.ts'
import type { Setting } from '../setting.ts'

export interface Figures {
  /** Single durations by what they measure. */
  readonly seconds: Record<string, number>
  readonly losses: Loss[]
}

export type KnativeSetting = Setting & { readonly figures: Figures }

/** Markdown tables. */
export function tablesOf({ seconds, losses }: Figures): string {
  const rows = Object.entries(seconds).map(([what, value]) => `| ${what} | ${value.toFixed(1)} |`)
  return [tableOf(losses), ['| | seconds |', '|---|---|', ...rows].join('\n')].join('\n\n')
}
