// The settings of a platform team for some claims of the suite.
import { at, isObject, items, type JsonObject } from '../../../../src/kubernetes/json.ts'
import type { Reference } from '../api.ts'
import type { Setting } from './setting.ts'

const OURS: Reference = { apiVersion: 'apiextensions.crossplane.io/v1', kind: 'Composition', name: 'eventdrivenservice' }

export interface OwnPlatform {
  /** The field of the spec by which a claim chooses it. */
  readonly choice: { readonly compositionRef: { readonly name: string } }
  /** Creates the Composition with this input, because nobody can change that of a package. */
  readonly create: (setting: Pick<Setting, 'cluster'>, input: JsonObject) => Promise<void>
  readonly remove: (setting: Pick<Setting, 'cluster'>) => Promise<void>
}

export function ownPlatform(name: string): OwnPlatform {
  const own = { ...OURS, name: `eventdrivenservice-${name}` }
  return {
    choice: { compositionRef: { name: own.name } },
    create: async ({ cluster: { api } }, input) => {
      const { spec } = await api.get(OURS)
      const [step] = items(at(spec, 'pipeline')).filter(isObject)
      const pipeline = [{ ...step, input: { ...(at(step, 'input') as JsonObject), ...input } }]
      const { apiVersion, kind } = own
      await api.apply({ apiVersion, kind, metadata: { name: own.name }, spec: { ...(spec as JsonObject), pipeline } })
    },
    remove: ({ cluster: { api } }) => api.delete(own),
  }
}
