// Prefixes and suffixes of kustomize, which renames objects and only those references that it knows.
import { at, isObject, items, type Json, nonEmptyText } from '../kubernetes/json.ts'
import { groupOf } from '../kubernetes/objects.ts'
import { senders, sinks } from './eventing.ts'
import { CLAIM, type Inventory, KNATIVE_SERVICE, type LintObject, SERVICE, say } from './inventory.ts'
import { eachOf, type Report } from './rule.ts'

interface Reference {
  readonly groupKind: string
  readonly name: string
}

const toSecret = (name: string | undefined): Reference[] => (name === undefined ? [] : [{ groupKind: '/Secret', name }])
const toConfigMap = (name: string | undefined): Reference[] => (name === undefined ? [] : [{ groupKind: '/ConfigMap', name }])

function referencesOf({ value, groupKind }: LintObject): Reference[] {
  if (groupKind === CLAIM) return ofClaim(at(value, 'spec'))
  if (!senders.test(groupKind)) return []
  const broker = nonEmptyText(at(value, 'spec', 'broker'))
  return [
    ...(broker === undefined ? [] : [{ groupKind: 'eventing.knative.dev/Broker', name: broker }]),
    ...sinks.flatMap(path => {
      const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map(field => nonEmptyText(at(value, ...path, 'ref', field)))
      return kind === undefined || name === undefined ? [] : [{ groupKind: `${groupOf(apiVersion ?? '')}/${kind}`, name }]
    }),
  ]
}

/** `secret` and `configMap` anywhere in a claim, and the names of its references. */
function ofClaim(spec: Json | undefined): Reference[] {
  const names = (field: string) => items(at(spec, field)).map(entry => nonEmptyText(at(entry, 'name')))
  return [...names('secretRefs').flatMap(toSecret), ...names('configRefs').flatMap(toConfigMap), ...mounted(spec)]
}

function mounted(value: Json | undefined): Reference[] {
  if (Array.isArray(value)) return value.flatMap(mounted)
  if (!isObject(value)) return []
  return [...toSecret(nonEmptyText(value.secret)), ...toConfigMap(nonEmptyText(value.configMap)), ...Object.values(value).flatMap(mounted)]
}

/** The object that a reference means; a claim has a Service of its own name. */
const meantBy = ({ groupKind, name }: Reference, inventory: Inventory): LintObject | undefined =>
  [groupKind, ...([SERVICE, KNATIVE_SERVICE].includes(groupKind) ? [CLAIM] : [])]
    .flatMap(inventory.ofKind)
    .find(object => object.name === name)

export const renamedTarget = eachOf(['kustomize.config.k8s.io/Kustomization'], (object, inventory) => {
  const { value } = object
  const field = ['namePrefix', 'nameSuffix'].find(name => nonEmptyText(at(value, name)) !== undefined)
  const isConfigured = ['configurations', 'replacements'].some(name => items(at(value, name)).length > 0)
  if (field === undefined || isConfigured) return []
  const broken = inventory.objects.flatMap(from =>
    referencesOf(from).flatMap(reference => {
      const target = meantBy(reference, inventory)
      return target === undefined ? [] : [`of ${say(from)} to ${say(target)}`]
    }),
  )
  if (broken.length === 0) return []
  const problem = `renames objects, but not the reference ${broken[0]}: list it under nameReference in a file of configurations`
  return [{ object, path: [field], problem, found: at(value, field) } satisfies Report]
})
