import type { Server, Socket } from 'node:net'

/** Limits the connections of each address. Node's maxConnections limits the sum, so one address could lock out all others. */
export function limitConnectionsPerAddress(server: Server, max: number): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket
    const before = open.get(remoteAddress) ?? 0
    if (before >= max) return socket.destroy()
    open.set(remoteAddress, before + 1)
    socket.once('close', () => {
      const left = (open.get(remoteAddress) ?? 0) - 1
      if (left > 0) open.set(remoteAddress, left)
      else open.delete(remoteAddress)
    })
  })
}
