import type { Metafile } from 'esbuild'

export interface BundledPackage {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly neededBy: readonly string[]
  readonly bytes: Readonly<Record<string, number>>
  readonly notices: string
}

export function packagesIn(metafile: Metafile): readonly BundledPackage[]
export function licensesOf(packages: readonly BundledPackage[]): string
