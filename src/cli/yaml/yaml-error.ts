import { YAMLException } from 'js-yaml'

/** Rejects a text that is YAML but cannot be a manifest; the problem is shown to the user. */
export function throwYamlError(text: string, offset: number, problem: string): never {
  return YAMLException.throwAt(text, Math.max(0, offset), problem)
}
