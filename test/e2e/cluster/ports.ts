import { once } from 'node:events'
import { createServer } from 'node:net'

// Below what systems take for outgoing connections (32,768 and up), so that a program that is started again finds its port
// as free as the first time.
const LOWEST = 20_000
const HIGHEST = 32_000
const given = new Set<number>()

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

/** A free port on loopback, a different one on each call. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}
