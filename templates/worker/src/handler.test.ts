import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEvent, Reject } from '@event-driven-service/worker'
import { handleOrder } from './handler.ts'

const lines: unknown[] = []
const write = (message: string, fields?: object) => void lines.push({ message, ...fields })
const log = { debug: write, info: write, warn: write, error: write }

const placed = (total: number) => {
  const data = { order: '1', total }
  return { ...createEvent({ type: 'order.placed', source: '/test', data }), data }
}

test('logs the order', async () => {
  await handleOrder(placed(3), { log })
  assert.deepEqual(lines, [{ message: 'order placed', order: '1', total: 3 }])
})

test('rejects an order without a price', () => assert.rejects(handleOrder(placed(0), { log }), Reject))
