// The Applications of Argo CD, and what its settings must say about claims.
import type { Path } from '../claim/findings.ts'
import { at, isObject, items, type Json, nonEmptyText } from '../kubernetes/json.ts'
import { groupOf } from '../kubernetes/objects.ts'
import { APPLICATION_SET } from './application-sets.ts'
import { CLAIM, type Inventory, isOther, type LintObject, say } from './inventory.ts'
import { listOf } from './routes.ts'
import { eachOf, type Report } from './rule.ts'

const APPLICATION = 'argoproj.io/Application'
/** Deploys to the cluster of Argo CD itself, under this name or this address. */
const [OWN_NAME, OWN_SERVER] = ['in-cluster', 'https://kubernetes.default.svc']
const HEALTH = `resource.customizations.health.${CLAIM.replace('/', '_')}`

interface Source {
  readonly object: LintObject
  readonly at: Path
  readonly repository: string
  /** Without a slash at either end; empty for the whole repository. */
  readonly folder: string
  readonly place: string
  readonly isRecursive: boolean
  /** With other settings, the same files become other objects. */
  readonly settings: string
}

function sourcesOf(object: LintObject): Source[] {
  const spec = at(object.value, 'spec')
  const { name, server, namespace } = isObject(at(spec, 'destination')) ? (at(spec, 'destination') as Record<string, Json>) : {}
  const single = at(spec, 'source')
  const sources: [Json, Path][] = isObject(single) ? [[single, ['source']]] : listOf(spec, 'sources')
  return sources.flatMap(([source, path]): Source[] => {
    const [url, folder] = [nonEmptyText(at(source, 'repoURL')), nonEmptyText(at(source, 'path'))]
    if (url === undefined || folder === undefined) return []
    const { recurse, ...filters } = isObject(at(source, 'directory')) ? (at(source, 'directory') as Record<string, Json>) : {}
    return [
      {
        object,
        at: ['spec', ...path, 'path'],
        repository: url
          .toLowerCase()
          .replace(/\/$/, '')
          .replace(/\.git$/, ''),
        folder: folder
          .split('/')
          .filter(part => part !== '' && part !== '.')
          .join('/'),
        place: [name === OWN_NAME ? OWN_SERVER : (name ?? server), namespace].map(String).join(' '),
        isRecursive: recurse === true,
        settings: JSON.stringify(['helm', 'kustomize', 'plugin'].map(tool => at(source, tool) ?? null).concat(filters)),
      },
    ]
  })
}

/** Each Application would undo what the other does. Another revision of the same files has objects of the same names. */
export function sharedFiles(inventory: Inventory): Report[] {
  const sources = inventory.ofKind(APPLICATION).flatMap(sourcesOf)
  return sources.flatMap((source, index) => {
    const other = sources.slice(0, index).find(other => isOther(source.object, other.object) && share(source, other))
    if (other === undefined) return []
    const problem = `${say(other.object)} deploys the same files to the same place, so that two Applications own each object`
    return [{ object: source.object, path: source.at, problem, found: at(source.object.value, ...source.at) }]
  })
}

const share = (one: Source, other: Source): boolean =>
  one.repository === other.repository &&
  one.place === other.place &&
  one.settings === other.settings &&
  (one.folder === other.folder || contains(one, other) || contains(other, one))

const contains = ({ isRecursive, folder }: Source, inner: Source) => isRecursive && (folder === '' || inner.folder.startsWith(`${folder}/`))

const isSettings = ({ name, groupKind }: LintObject) => groupKind === '/ConfigMap' && name === 'argocd-cm'

/** An Application beside claims, or beside an AppProject that lets it deploy them. */
function deploysClaims(inventory: Inventory): LintObject | undefined {
  const allowed = inventory
    .ofKind('argoproj.io/AppProject')
    .flatMap(({ value }) => items(at(value, 'spec', 'namespaceResourceWhitelist')))
    .some(entry => at(entry, 'group') === groupOf(CLAIM))
  if (!allowed && inventory.ofKind(CLAIM).length === 0) return undefined
  return inventory.ofKind(APPLICATION)[0] ?? inventory.ofKind(APPLICATION_SET)[0]
}

const KIND_KEY = /^["']?platform\.bizmatters\.io\/(?:EventDrivenService|\*)["']?:/m

/** The key of Argo CD before 2.0, whose kinds may be patterns. */
function knewHealth(customizations: string): boolean {
  const start = customizations.search(KIND_KEY)
  return start >= 0 && customizations.includes('health.lua', start)
}

const knowsHealth = ({ value }: LintObject) =>
  nonEmptyText(at(value, 'data', HEALTH)) !== undefined || knewHealth(nonEmptyText(at(value, 'data', 'resource.customizations')) ?? '')

export function missingHealth(inventory: Inventory): Report[] {
  const application = deploysClaims(inventory)
  if (application === undefined) return []
  const settings = inventory.objects.filter(isSettings)
  const why = 'Argo CD shows failing claims as healthy'
  const [first] = settings
  if (first === undefined) {
    const problem = `no ConfigMap argocd-cm has ${HEALTH}: without it ${why}`
    return [{ object: application, path: ['spec'], problem, absentFrom: application.namespace }]
  }
  return settings.some(knowsHealth) ? [] : [{ object: first, path: ['data'], problem: `must have ${HEALTH}: without it ${why}` }]
}

const METHOD = 'application.resourceTrackingMethod'

/** Crossplane copies the labels of a claim to its composite, which Argo CD would then prune. */
export const trackedByLabel = eachOf(['/ConfigMap'], object => {
  if (!isSettings(object) || at(object.value, 'data', METHOD) !== 'label') return []
  const problem = 'must be annotation: Crossplane copies the labels of a claim to its composite, which Argo CD then prunes'
  return [{ object, path: ['data', METHOD], problem, found: 'label', meant: 'annotation' }]
})
