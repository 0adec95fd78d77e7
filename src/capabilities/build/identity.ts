// The name of a build says what it builds: the same claim has the same name, and so the same BuildRun, at every call.
import type { Build } from '../../claim/resolved-claim.ts'

const RUN_PREFIX = 'buildrun-'

export const isRunKey = (key: string): boolean => key.startsWith(RUN_PREFIX)

/** The key has the hash too, because Crossplane keeps the name of an object whose key it knows. */
export const runKey = (hash: string): string => `${RUN_PREFIX}${hash}`

/** Everything that may make another image, and what lets a failed build succeed. */
export const hashOf = (build: Build, revision: string): string => {
  const { url, contextDir, cloneSecret, strategy, params, image, platforms, asked } = build
  return hash(
    JSON.stringify([
      url,
      revision,
      contextDir ?? null,
      cloneSecret ?? null,
      strategy,
      params.map(({ name, value, values }) => [name, value ?? values ?? null]),
      image,
      platforms.map(({ os, arch }) => `${os}/${arch}`),
      asked.pushSecret ?? null,
      asked.timeout ?? null,
      asked.attempt ?? null,
    ]),
  )
}

const OFFSET = 0x811c9dc5
const OTHER_OFFSET = 0x9dc5811c
const LENGTH = 10

/** Two FNV-1a hashes, because the core has no crypto: http://www.isthe.com/chongo/tech/comp/fnv. 40 bits are plenty for one claim. */
const hash = (text: string): string => `${fnv(text, OFFSET)}${fnv(`${text}.`, OTHER_OFFSET)}`.slice(0, LENGTH)

function fnv(text: string, offset: number): string {
  let sum = offset
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193)
  return (sum >>> 0).toString(16).padStart(8, '0')
}
