// Writes an image as an OCI layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { ownArchitecture } from '../../../scripts/image.ts'

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface Manifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

interface Image {
  readonly rootfs: { readonly diff_ids: readonly string[] }
}

export interface ImageConfig {
  readonly Entrypoint: readonly string[]
  readonly User?: string
  readonly Env?: readonly string[]
}

const TYPE = 'application/vnd.oci.image'
const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`
const blobOf = (layout: string, digest: string) => join(layout, 'blobs', digest.replace(':', '/'))
const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

/** Writes an image of the folder, on top of the image in the layout `base`. */
export function writeLayout(layout: string, folder: string, config: ImageConfig, base?: string): void {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  const write = (mediaType: string, content: Buffer): Descriptor => {
    const digest = digestOf(content)
    writeFileSync(blobOf(layout, digest), content)
    return { mediaType, digest, size: content.length }
  }
  const writeJson = (mediaType: string, value: unknown) => write(mediaType, Buffer.from(JSON.stringify(value)))

  const archive = join(layout, 'layer.tar')
  execFileSync('tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-C', folder, '-cf', archive, '.'])
  const tar = readFileSync(archive)
  rmSync(archive)
  const layer = write(`${TYPE}.layer.v1.tar+gzip`, gzipSync(tar, { level: constants.Z_BEST_SPEED }))

  const below = base === undefined ? { layers: [], ids: [] } : layersOf(base)
  if (base !== undefined) for (const { digest } of below.layers) cpSync(blobOf(base, digest), blobOf(layout, digest))
  const image = writeJson(`${TYPE}.config.v1+json`, {
    architecture: ownArchitecture,
    os: 'linux',
    config: { ...config, WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [...below.ids, digestOf(tar)] },
    // Without a history, Shipwright loses the layers of a build on top of the image.
    history: [...below.layers, layer].map(() => ({ created_by: 'tests' })),
  })
  const mediaType = `${TYPE}.manifest.v1+json`
  const manifest = writeJson(mediaType, { schemaVersion: 2, mediaType, config: image, layers: [...below.layers, layer] })
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }))
}

/** The layers of an image in a layout, with the digests of their uncompressed content. */
function layersOf(layout: string): { readonly layers: readonly Descriptor[]; readonly ids: readonly string[] } {
  const { manifests } = readJson(join(layout, 'index.json')) as { readonly manifests: readonly Descriptor[] }
  const { layers, config } = readJson(blobOf(layout, manifests[0]?.digest ?? '')) as Manifest
  const { rootfs } = readJson(blobOf(layout, config.digest)) as Image
  return { layers, ids: rootfs.diff_ids }
}
