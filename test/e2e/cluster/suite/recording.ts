// Reproduces the terminal recording in docs/sandbox.md.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { root } from '../../../fixtures/claim-files.ts'
import { createNamespace, referenceOf, scaledTo, worker } from '../claim.ts'
import { runDocumented } from '../install.ts'
import type { Setting } from './setting.ts'

interface Step {
  readonly command: string
  readonly output: string
}

const recorded = /<!-- recording -->\n```\n([^`]*)```/.exec(readFileSync(`${root}docs/sandbox.md`, 'utf8'))?.[1] ?? ''
const steps: readonly Step[] = recorded
  .split(/^\$ /m)
  .slice(1)
  .map(step => {
    const end = step.indexOf('\n')
    return { command: step.slice(0, end), output: step.slice(end + 1) }
  })

/** Ignores column widths and times, which differ between runs. */
const steady = (text: string) =>
  text
    .trim()
    .replace(/[ \t]+/g, ' ')
    .replace(/ \d+m?\d*s?$/gm, ' AGE')

export function asRecorded(given: () => Setting): void {
  describe('the recording in docs/sandbox.md', () => {
    test('has steps', () => expect(steps.length).toBeGreaterThan(4))

    test('has the output of each command', async () => {
      const { cluster, nats, natsServer } = given()
      await createNamespace(cluster, 'shop')
      await nats.createStream('ORDERS')
      await nats.createConsumer('ORDERS', 'orders-workers')
      for (const { command, output } of steps) {
        const printed = await runDocumented(cluster, command.replace(/(messages -- )\d+/, `$1${natsServer.port}`))
        expect(`$ ${command}\n${steady(printed)}`).toBe(`$ ${command}\n${steady(output)}`)
      }
    })

    test('ends in its initial state', async () => {
      const { cluster, nats } = given()
      // Acknowledged messages may still count for a moment.
      await cluster.until('nothing waits', async () => {
        await nats.take('ORDERS', 'orders-workers', 1_000)
        return (await nats.lag('ORDERS', 'orders-workers')) === 0
      })
      const claim = worker('shop', 'orders-worker', 'ORDERS')
      await scaledTo(cluster, claim, 1)
      expect(await cluster.api.get(referenceOf(claim))).toMatchObject({ spec: { image: 'ghcr.io/acme/orders-worker:1.4.2' } })
    })
  })
}
