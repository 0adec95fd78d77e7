import type { TriggerSpec } from '../../claim/resolved-claim.ts'
import type { Json, JsonObject } from '../../kubernetes/json.ts'
import { sortKeys } from '../../kubernetes/sort-keys.ts'
import type { ComposedResource } from '../capability.ts'
import type { Address } from '../workload/address.ts'
import { metadata } from '../workload/labels.ts'
import { EVENTING_API_VERSION } from './broker.ts'
import { delivery, destination } from './delivery.ts'
import { eventingReadiness } from './readiness.ts'

/** https://knative.dev/docs/eventing/triggers/ */
export function trigger({ name, filter, filters = [], path, ...asked }: TriggerSpec, address: Address, broker: string): ComposedResource {
  return {
    key: `trigger-${name}`,
    concern: 'Eventing',
    build: claim => ({
      apiVersion: EVENTING_API_VERSION,
      kind: 'Trigger',
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
    immutable: [
      {
        path: ['spec', 'broker'],
        called: 'Broker',
        advice: () =>
          `What the old Broker still holds for it would not be delivered. Add a trigger of another name, which listens to the new Broker, and take this one out once the old Broker is empty.`,
      },
    ],
  }
}
