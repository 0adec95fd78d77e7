import type { TriggerSpec } from '../../claim/resolved-claim.ts'
import { at, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { sortKeys } from '../../kubernetes/sort-keys.ts'
import type { Address } from '../address.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { delivery, destination, summarizeDestination, targetKey } from './delivery.ts'
import { eventingReadiness } from './readiness.ts'

const KIND = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger' } as const

export const triggerKind: KindInfo = {
  ...KIND,
  plural: 'triggers',
  product: 'Knative Eventing',
  summarize: ({ spec }) => [`from ${scalar(at(spec, 'broker'))}`, summarizeDestination(at(spec, 'subscriber'))],
}

/** https://knative.dev/docs/eventing/triggers/ */
export function trigger({ name, filter, filters = [], path, ...asked }: TriggerSpec, address: Address, broker: string): ComposedResource {
  return {
    key: `trigger-${name}`,
    build: claim => ({
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: metadata(claim, `${claim.name}-${name}`),
      spec: {
        broker,
        ...(filter && { filter: { attributes: sortKeys(filter) } }),
        ...(filters.length > 0 && { filters: sortKeys(filters as unknown as Json) }),
        subscriber: destination(address, path),
        ...delivery(asked.delivery, claim),
      } satisfies JsonObject,
    }),
    ready: (observed, claim) =>
      eventingReadiness(
        `Trigger ${claim.name}-${name}`,
        observed,
        `See: kubectl -n ${claim.namespace} describe trigger ${claim.name}-${name}`,
      ),
    readyCondition: 'Ready',
    target: object => targetKey(at(object, 'spec', 'subscriber')),
    immutable: [
      {
        path: ['spec', 'broker'],
        called: 'Broker',
        advice: () =>
          `Events that the old Broker still holds for it would be lost. Add a trigger with another name, which listens to the new Broker, and remove this one once the old Broker is empty.`,
      },
    ],
  }
}
