// Images for the claims of the tests.
import { fileURLToPath } from 'node:url'
import type { Cluster } from '../cluster/cluster.ts'
import { buildContent, nodeBase, pushImage } from '../node/images.ts'

/** Pushes an image that runs a program of ./programs in this machine's Node, with these environment variables. */
export async function pushProgram(
  cluster: Cluster,
  program: string,
  reference: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const file = fileURLToPath(new URL(`./programs/${program}`, import.meta.url))
  const [name = ''] = program.split('.')
  const content = {
    base: nodeBase(),
    files: { [`/${program}`]: file },
    entrypoint: ['/nodejs/bin/node', `/${program}`],
    environment,
    user: '1000:1000',
  }
  await pushImage(cluster, buildContent(name, content), reference)
}
