import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the ports of outgoing connections (32,768 and up), so a port is still available when its program restarts.
const LOWEST = 20_000
const HIGHEST = 32_000
const used = new Set<number>()

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** An available port on loopback, a different one for each call. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (used.has(port) || !(await isFree(port))) continue
    used.add(port)
    return port
  }
}
