import type { ResolvedClaim, ResourceRequirements } from '../claim/resolved-claim.ts'
import { at, type Json, type JsonObject } from '../kubernetes/json.ts'
import { parseQuantity } from '../kubernetes/quantity.ts'
import type { Platform } from '../platform/platform.ts'

export interface SizeMatch {
  readonly size: string
  /** Whether the size has exactly these resources. */
  readonly exact: boolean
}

const figures = (['requests', 'limits'] as const).flatMap(bound => (['cpu', 'memory'] as const).map(resource => [bound, resource] as const))

/** The size with these resources, else the nearest, where twice as much is as far as half as much. Undefined if none are set. */
export function matchSize(resources: Json | undefined, sizes: Platform['sizes']): SizeMatch | undefined {
  const wanted = figures.map(([bound, resource]) => parseQuantity(at(resources, bound, resource)))
  if (wanted.every(figure => figure === undefined)) return undefined
  const ranked = Object.entries(sizes)
    .map(([size, has]) => {
      const own = figures.map(([bound, resource]) => parseQuantity(at(has as unknown as JsonObject, bound, resource)))
      const gaps = own.map((figure, index) => distance(wanted[index], figure))
      return { size, exact: own.every((figure, index) => figure === wanted[index]), distance: gaps.reduce((sum, gap) => sum + gap, 0) }
    })
    .sort((a, b) => Number(b.exact) - Number(a.exact) || a.distance - b.distance)
  const [nearest] = ranked
  return nearest && { size: nearest.size, exact: nearest.exact }
}

/** What the claim's size gives a container with these resources. */
export const sizedResources = (resources: Json | undefined, { platform, resources: standard }: ResolvedClaim): ResourceRequirements => {
  const match = matchSize(resources, platform.sizes)?.size
  return Object.entries(platform.sizes).find(([size]) => size === match)?.[1] ?? standard
}

/** In doublings. A resource that is not set counts as equal. */
const distance = (wanted: number | undefined, has: number | undefined) =>
  wanted === undefined || has === undefined || wanted <= 0 || has <= 0 ? 0 : Math.abs(Math.log2(wanted / has))
