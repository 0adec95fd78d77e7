// The images of the worker that the claims of the tests name.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { PRIVATE_HOST, PULLER } from '../node/private-registry.ts'
import { pushWorkers } from './worker/image.ts'

const run = promisify(execFile)

export const IMAGE = 'ghcr.io/acme/orders-worker:1.0.0'
export const NEXT_IMAGE = 'ghcr.io/acme/orders-worker:1.1.0'
export const ROOT_IMAGE = 'ghcr.io/acme/root:1.0.0'
export const PRIVATE_IMAGE = `${PRIVATE_HOST}/acme/private-worker:1.0.0`
/** The image that the manifests of docs/migration.md name. Its program answers for a while after it was told to stop. */
const MIGRATED_IMAGE = 'ghcr.io/arun4infra/agent-executor:latest'

/** The repository of an image without its registry, and its tag. */
function split(image: string): { readonly repository: string; readonly tag: string } {
  const [, repository = '', tag = ''] = /^[^/]+\/(.*):(.*)$/.exec(image) ?? []
  return { repository, tag }
}

export async function publishWorkers({ programs, folder, registry }: Cluster): Promise<void> {
  const image = (name: string) => {
    const { repository, tag } = split(name)
    return { repository: `${registry}/${repository}`, tag }
  }
  await pushWorkers({ crane: programs.crane, folder }, [
    image(IMAGE),
    image(NEXT_IMAGE),
    image(PRIVATE_IMAGE),
    { ...image(ROOT_IMAGE), user: '0' },
    { ...image(MIGRATED_IMAGE), variables: { DRAIN_MS: '3000' } },
  ])
}

export async function digestOf({ programs, registry }: Cluster, image: string): Promise<string> {
  const { repository, tag } = split(image)
  const { stdout } = await run(programs.crane, ['digest', `${registry}/${repository}:${tag}`])
  return stdout.trim()
}

/** A pull secret for the private registry. */
export function pullSecret(namespace: string, name: string, password: string = PULLER.password): JsonObject {
  const auth = Buffer.from(`${PULLER.username}:${password}`).toString('base64')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/dockerconfigjson',
    metadata: { name, namespace },
    stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [PRIVATE_HOST]: { auth } } }) },
  }
}
