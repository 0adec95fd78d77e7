import { at, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'

/** Whether a resource works, why, and what to do if it does not. */
export interface Readiness {
  readonly ready: boolean
  /** A CamelCase word, for machines. */
  readonly reason: string
  /** For people. It stays the same until the situation changes. */
  readonly message: string
  /** Whether the state passes by itself and needs no event: always, or only until the resource was ready once. */
  readonly transient?: 'always' | 'at-first'
}

export const ready = (reason: string, message: string): Readiness => ({ ready: true, reason, message })
export const notReady = (reason: string, message: string): Readiness => ({ ready: false, reason, message })
/** A step of a requested change. */
export const inProgress = (reason: string, message: string): Readiness => ({ ...notReady(reason, message), transient: 'always' })
/** A new object is not ready yet. */
export const starting = (reason: string, message: string): Readiness => ({ ...notReady(reason, message), transient: 'at-first' })

/** For a resource that works as soon as it exists. */
export const exists = (observed: JsonObject): Readiness =>
  ready('Created', `${textOf(at(observed, 'kind'))} ${textOf(at(observed, 'metadata', 'name'))} exists.`)

export const kindAndName = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace}/${metadata.name}`

/** The kind with its group, because another group may have the same kind. */
const kubectlKind = ({ apiVersion, kind }: Manifest) => [kind.toLowerCase(), ...apiVersion.split('/').slice(0, -1)].join('.')

/** The existing object will be deleted, and only then can the claim's be created. */
export const waitsForDeletion = (manifest: Manifest, why: string, jsonPath: string): Readiness =>
  inProgress(
    'Waiting',
    `${kindAndName(manifest)} ${why} and will be recreated once it is gone. If this message persists: kubectl -n ${manifest.metadata.namespace} get ${kubectlKind(manifest)} ${manifest.metadata.name} -o jsonpath='${jsonPath}'`,
  )

export const beingDeleted = (manifest: Manifest): Readiness => waitsForDeletion(manifest, 'is being deleted', '{.metadata.finalizers}')
