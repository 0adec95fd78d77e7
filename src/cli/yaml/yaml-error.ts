import { YAMLException } from 'js-yaml'

/** Gives up on a text that is YAML but nothing that a manifest can hold; the problem is a sentence for the reader. */
export function throwYamlError(text: string, offset: number, problem: string): never {
  return YAMLException.throwAt(text, Math.max(0, offset), problem)
}
