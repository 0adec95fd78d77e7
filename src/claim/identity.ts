// What the service is called and where it lives. The same claim is seen as itself, as the composite that Crossplane made
// for it, or as a namespaced composite.
import type { Finding, Path } from '../findings.ts'
import { at, isObject, type Json, type JsonObject } from '../json.ts'
import { machinery } from './machinery.ts'

export interface Identity {
  readonly name: string | undefined
  readonly namespace: string | undefined
}

const text = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

export function identify(composite: JsonObject): Identity {
  const label = (name: string) => text(at(composite, 'metadata', 'labels', `crossplane.io/${name}`))
  return {
    name: text(at(composite, 'spec', 'claimRef', 'name')) ?? label('claim-name') ?? text(at(composite, 'metadata', 'name')),
    namespace:
      text(at(composite, 'metadata', 'namespace')) ?? text(at(composite, 'spec', 'claimRef', 'namespace')) ?? label('claim-namespace'),
  }
}

/** The claim as its author wrote it, whatever it arrived as, so that one schema judges it everywhere. */
export function claimDocument(composite: JsonObject, { name, namespace }: Identity, kind: string): JsonObject {
  const spec = at(composite, 'spec')
  return {
    apiVersion: at(composite, 'apiVersion'),
    kind,
    metadata: { ...(name && { name }), ...(namespace && { namespace }) },
    spec: isObject(spec) ? Object.fromEntries(Object.entries(spec).filter(([field]) => !Object.hasOwn(machinery, field))) : spec,
  }
}

/** Without a name and a namespace there is nothing to compose. */
export function missingIdentity({ name, namespace }: Identity): Finding[] {
  const missing = (path: Path, problem: string): Finding => ({ code: path[1] === 'name' ? 'REQUIRED' : 'NO_NAMESPACE', path, problem })
  return [
    ...(name === undefined ? [missing(['metadata', 'name'], 'required field missing')] : []),
    ...(namespace === undefined
      ? [
          missing(
            ['metadata', 'namespace'],
            'required: a composite needs a claim (spec.claimRef) or a namespace of its own to say where its resources go',
          ),
        ]
      : []),
  ]
}
