// Serves the built site on loopback, below the path that it has on Pages.
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}

const BASE = '/event-driven-service/'

export async function serve(port = 0): Promise<{ server: Server; url: string }> {
  const server = createServer(async ({ url = '/' }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://site').pathname))
    const file = path.startsWith(BASE) ? join(dist, path.slice(BASE.length)) : undefined
    const found =
      file === undefined ? undefined : await readFile(path.endsWith('/') ? join(file, 'index.html') : file).catch(() => undefined)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': types[extname(path) || '.html'] ?? 'application/octet-stream' })
    response.end(found)
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, url: `http://127.0.0.1:${address.port}${BASE}` }
}
