// A registry that wants a user and a password, with the content of the open one.
import { once } from 'node:events'
import { createServer, request } from 'node:http'

/** The host in the names of its images. */
export const PRIVATE_HOST = 'private.test'
/** Who may pull. */
export const PULLER = { username: 'puller', password: 'let-me-pull' } as const

/** Starts it in front of the open registry, and returns its URL. */
export async function startPrivateRegistry(registry: string, atEnd: (close: () => void) => void): Promise<string> {
  const { username, password } = PULLER
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const server = createServer((incoming, outgoing) => {
    if (incoming.headers.authorization !== expected) {
      outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="private"', 'content-type': 'application/json' })
      return void outgoing.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }))
    }
    const { method, url, headers } = incoming
    const onward = request(`http://${registry}${url}`, { method, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.once('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the private registry has no port')
  return `http://127.0.0.1:${address.port}`
}
