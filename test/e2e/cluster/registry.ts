// An OCI registry on loopback that also answers as the public registries, over TLS on the simulated network, so the installed
// manifests are the same as those of users.
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { issueCertificate } from '../../../scripts/certificates.ts'
import { NODE_ADDRESS } from '../node/addresses.ts'
import type { Ground } from './kubernetes.ts'
import { freePort } from './ports.ts'

/** The public registries that it answers as. */
export const MIRRORED = ['ghcr.io', 'xpkg.crossplane.io'] as const

/** Starts the registry and returns the address for pushing packages, without TLS. Real pods resolve the public names to the node. */
export async function startRegistry(
  { folder, programs, processes, network, authority, until }: Ground,
  { realPods }: { readonly realPods: boolean },
  atEnd: (close: () => void) => void,
): Promise<string> {
  const port = await freePort()
  const disk = join(folder, 'registry')
  mkdirSync(disk)
  const address = `127.0.0.1:${port}`
  processes.start({ name: 'registry', file: programs.crane, args: ['registry', 'serve', '--address', address, '--disk', disk] })

  const { certificate: cert, key } = issueCertificate(authority, { commonName: MIRRORED[0], usages: ['server'], dnsNames: MIRRORED })
  const front = createServer({ cert, key }, client => {
    const server = connect(port, '127.0.0.1')
    client.pipe(server).pipe(client)
    client.on('error', () => server.destroy())
    server.on('error', () => client.destroy())
  })
  if (realPods) front.listen(443, NODE_ADDRESS)
  else front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  atEnd(() => front.close())
  const bound = front.address()
  if (bound === null || typeof bound === 'string') throw new Error('the registry has no port')
  for (const host of MIRRORED) network.join(host, 443, bound.port)
  await until('the registry', async () => (await fetch(`http://${address}/v2/`)).ok)
  return address
}
