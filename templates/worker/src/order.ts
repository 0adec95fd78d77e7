import { z } from 'zod'

/** The data of events of the type order.placed. */
export const OrderPlaced = z.object({ order: z.string(), total: z.number().nonnegative() })
