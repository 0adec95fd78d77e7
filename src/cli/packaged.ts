import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file of this package: the bundle and the sources are in folders of different depth. */
export function packaged(file: string): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, file)) && folder !== dirname(folder)) folder = dirname(folder)
  return join(folder, file)
}
