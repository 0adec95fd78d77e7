import type { Server, Socket } from 'node:net'

/** Holds only so many connections of one address: a limit on all would keep others out as well. */
export function limitByAddress(server: Server, most: number): void {
  const held = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket
    const before = held.get(remoteAddress) ?? 0
    if (before >= most) return socket.destroy()
    held.set(remoteAddress, before + 1)
    socket.once('close', () => {
      const left = (held.get(remoteAddress) ?? 0) - 1
      if (left > 0) held.set(remoteAddress, left)
      else held.delete(remoteAddress)
    })
  })
}
