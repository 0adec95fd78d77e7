// Edits that empty an object of the spec, for which server-side apply writes null.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPOSITE_KIND } from '../../../../src/claim/identity.ts'
import { at, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { API_VERSION, becomes, type ClaimManifest, createNamespace, deleteClaim, referenceOf, worker } from '../claim.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'emptied'
const NEXT_IMAGE = 'ghcr.io/acme/orders-worker:2.0.0'

const kafka = { bootstrapServers: ['kafka:9092'], topics: ['orders'] }

/** Each object of the spec that may be empty: first with content, then empty. */
const edits: readonly (readonly [name: string, filled: JsonObject, emptied: JsonObject])[] = [
  ['scaling', { scaling: { maxReplicas: 5 } }, { scaling: {} }],
  ['knative', { runtime: 'Knative', knative: { timeoutSeconds: 5 } }, { runtime: 'Knative', knative: {} }],
  ['autoscaling', { runtime: 'Knative', knative: { autoscaling: { minScale: 1 } } }, { runtime: 'Knative', knative: { autoscaling: {} } }],
  ['eventing', { eventing: { broker: { class: 'Other' } } }, { eventing: {} }],
  ['broker', { eventing: { broker: { class: 'Other' } } }, { eventing: { broker: {} } }],
  ['broker-delivery', { eventing: { broker: { delivery: { retry: 5 } } } }, { eventing: { broker: { delivery: {} } } }],
  ['filter', { eventing: { triggers: [{ name: 'a', filter: { type: 'a' } }] } }, { eventing: { triggers: [{ name: 'a', filter: {} }] } }],
  [
    'trigger-delivery',
    { eventing: { triggers: [{ name: 'a', delivery: { retry: 3 } }] } },
    { eventing: { triggers: [{ name: 'a', delivery: {} }] } },
  ],
  ['kafka-delivery', { eventing: { kafka: { ...kafka, delivery: { retry: 3 } } } }, { eventing: { kafka: { ...kafka, delivery: {} } } }],
]

export function emptiedObjects(given: () => Setting): void {
  describe('an edit that empties an object of the spec', () => {
    const claimOf = (name: string, spec: JsonObject): ClaimManifest => worker(NAMESPACE, name, 'EMPTIED', { scaling: undefined, ...spec })

    /** The image of the composite, which is the claim itself in the namespaced flavour. */
    const compositeImage = async ({ metadata }: ClaimManifest): Promise<unknown> => {
      const { cluster, flavour } = given()
      const kind = flavour === 'claims' ? COMPOSITE_KIND : 'EventDrivenService'
      const composites = await cluster.api.list({ apiVersion: API_VERSION, kind })
      const nameOf = (composite: JsonObject) =>
        flavour === 'claims' ? at(composite, 'spec', 'claimRef', 'name') : at(composite, 'metadata', 'name')
      return at(
        composites.find(composite => nameOf(composite) === metadata.name),
        'spec',
        'image',
      )
    }

    beforeAll(async () => {
      await createNamespace(given().cluster, NAMESPACE)
      await Promise.all(edits.map(([name, filled]) => given().cluster.api.apply(claimOf(name, filled))))
    })
    afterAll(() => Promise.all(edits.map(([name, filled]) => deleteClaim(given().cluster, claimOf(name, filled)))))

    test.each(edits)('%s: later edits still reach the composite', async (name, filled, emptied) => {
      const { cluster } = given()
      await cluster.until('the composite', () => compositeImage(claimOf(name, filled)))
      await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(claimOf(name, emptied)))
      await cluster.api.patch(referenceOf(claimOf(name, emptied)), { spec: { image: NEXT_IMAGE } })
      await cluster.until('the next image', async () => (await compositeImage(claimOf(name, emptied))) === NEXT_IMAGE)
      const { message } = await becomes(cluster, claimOf(name, emptied), 'Synced', 'True')
      expect(message).toBe('')
    })
  })
}
