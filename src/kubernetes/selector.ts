import { at, isObject, type JsonObject, textOf } from './json.ts'

/** The selector of a Deployment's pods, in the format of `kubectl -l`. */
export function labelSelectorOf(deployment: JsonObject | undefined): string {
  const labels = at(deployment, 'spec', 'selector', 'matchLabels')
  return Object.entries(isObject(labels) ? labels : {})
    .map(([label, value]) => `${label}=${textOf(value)}`)
    .sort()
    .join(',')
}
