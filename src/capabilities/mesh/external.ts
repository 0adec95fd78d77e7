import type { ResolvedClaim } from '../../claim/resolved-claim.ts'

/** The port at which a container calls a host to which the sidecar speaks TLS. */
export const PLAIN_PORT = 80

const LONGEST_NAME = 63

/** A name that no other claim and no other host has: readable as far as there is room, and then a hash. */
export function externalName({ name, namespace }: ResolvedClaim, host: string): string {
  const hash = hashOf(`${namespace}/${name}/${host}`)
  const readable = host
    .replace('*', 'any')
    .replaceAll('.', '-')
    .slice(0, Math.max(0, LONGEST_NAME - name.length - hash.length - 2))
  return [name, ...readable.split('-'), hash].filter(part => part !== '').join('-')
}

/** FNV-1a, in six letters and digits: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return (hash >>> 0).toString(36).padStart(6, '0').slice(-6)
}
