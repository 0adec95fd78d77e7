/** Major, minor and patch. */
export type Version = readonly [number, number, number]

const VERSION = /^v?(\d+)\.(\d+)(?:\.(\d+))?/

export function parseVersion(text: unknown): Version | undefined {
  const match = typeof text === 'string' ? VERSION.exec(text) : null
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
}

/** `registry:5000/keda:2.17.0@sha256:…` has the tag `2.17.0`. */
export const tagOf = (image: string): string | undefined => /:([^:/]+)$/.exec(image.split('@')[0] ?? '')?.[1]

export const isAtLeast = (version: Version, minimum: Version): boolean => {
  const index = version.findIndex((part, i) => part !== minimum[i])
  return index === -1 || (version[index] ?? 0) > (minimum[index] ?? 0)
}

export const showVersion = (version: Version): string => version.join('.')
