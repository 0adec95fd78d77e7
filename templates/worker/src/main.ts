import { serve } from '@event-driven-service/worker'
import { handleOrder } from './handler.ts'
import { OrderPlaced } from './order.ts'

await serve({
  handler: handleOrder,
  schemas: { 'order.placed': OrderPlaced },
})
