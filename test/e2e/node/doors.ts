// Doors into the namespaces of a node: ports on this machine's loopback that are connected to addresses in the namespaces, through
// Unix sockets in the folder of the run, because files have no network namespace.
import { once } from 'node:events'
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../cluster/ports.ts'
import { DOORS, FOLDER } from './environment.ts'

const socketOf = (folder: string, port: number) => join(folder, `door-${port}`)

async function forward(where: ListenOptions, connectOnward: () => Socket): Promise<Server> {
  const server = createServer(incoming => {
    const onward = connectOnward()
    incoming.pipe(onward).pipe(incoming)
    incoming.once('error', () => onward.destroy())
    onward.once('error', () => incoming.destroy())
  })
  server.listen(where)
  await once(server, 'listening')
  return server
}

export interface Doors {
  readonly ports: readonly number[]
  readonly close: () => void
}

/** Opens this many doors outside. */
export async function openDoors(folder: string, count: number): Promise<Doors> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const servers = await Promise.all(ports.map(port => forward({ host: '127.0.0.1', port }, () => connect(socketOf(folder, port)))))
  return {
    ports,
    close: () => {
      for (const server of servers) server.close()
    },
  }
}

/** The ports of the doors, inside. */
export const doorPorts = (): number[] => (process.env[DOORS] ?? '').split(',').filter(Boolean).map(Number)

/** Connects a door to an address in the namespaces. */
export async function connectDoor(door: number, host: string, port: number, atEnd: (close: () => void) => void): Promise<void> {
  const server = await forward({ path: socketOf(process.env[FOLDER] ?? '', door) }, () => connect(port, host))
  atEnd(() => server.close())
}
