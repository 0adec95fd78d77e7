import { at, isObject, type JsonObject, textOf } from './json.ts'

/** What a Deployment selects its pods by, as `kubectl -l` takes it. */
export function labelSelectorOf(deployment: JsonObject | undefined): string {
  const labels = at(deployment, 'spec', 'selector', 'matchLabels')
  return Object.entries(isObject(labels) ? labels : {})
    .map(([label, value]) => `${label}=${textOf(value)}`)
    .sort()
    .join(',')
}
