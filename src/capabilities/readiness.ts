import { at, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'

/** Whether a resource does its work, why, and what to do about it where it doesn't. */
export interface Readiness {
  readonly ready: boolean
  /** A CamelCase word, for machines. */
  readonly reason: string
  /** For people. It stays the same until the situation changes. */
  readonly message: string
  /** A step that passes by itself, and so no event: always, or only as long as nothing was ready before. */
  readonly transient?: 'always' | 'at-first'
}

export const ready = (reason: string, message: string): Readiness => ({ ready: true, reason, message })
export const notReady = (reason: string, message: string): Readiness => ({ ready: false, reason, message })
/** A step of a change that somebody asked for. */
export const inProgress = (reason: string, message: string): Readiness => ({ ...notReady(reason, message), transient: 'always' })
/** A new object is not ready at once. */
export const starting = (reason: string, message: string): Readiness => ({ ...notReady(reason, message), transient: 'at-first' })

/** For a resource that does its work as soon as it is there. */
export const exists = (observed: JsonObject): Readiness =>
  ready('Created', `${textOf(at(observed, 'kind'))} ${textOf(at(observed, 'metadata', 'name'))} is there.`)

export const kindAndName = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace}/${metadata.name}`

/** The kind for kubectl, as another group may have one of the same name. */
const kubectlKind = ({ apiVersion, kind }: Manifest) => [kind.toLowerCase(), ...apiVersion.split('/').slice(0, -1)].join('.')

/** What is there will go by itself, and only then can the claim's be made. */
export const waitsForDeletion = (manifest: Manifest, why: string, jsonPath: string): Readiness =>
  inProgress(
    'Waiting',
    `${kindAndName(manifest)} ${why}, and is made anew once it is gone. If it stays: kubectl -n ${manifest.metadata.namespace} get ${kubectlKind(manifest)} ${manifest.metadata.name} -o jsonpath='${jsonPath}'`,
  )

export const beingDeleted = (manifest: Manifest): Readiness => waitsForDeletion(manifest, 'is being deleted', '{.metadata.finalizers}')
