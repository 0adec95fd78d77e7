import { type CloudEvent, type HandlerContext, Reject } from '@event-driven-service/worker'
import type { z } from 'zod'
import type { OrderPlaced } from './order.ts'

type Order = z.infer<typeof OrderPlaced>

/** Handles one event. An error makes NATS deliver it again; Reject makes it a dead letter. */
export async function handleOrder(
  event: CloudEvent<Order> & { readonly data: Order },
  { log }: Pick<HandlerContext, 'log'>,
): Promise<void> {
  const { order, total } = event.data
  if (total === 0) throw new Reject('an order must have a price')
  log.info('order placed', { order, total })
}
