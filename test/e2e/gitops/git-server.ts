// Serves git repositories over smart HTTP on loopback, because Flux reads only HTTP and SSH: git's own CGI program behind a server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface GitServer {
  /** The address of a repository is this, a slash, and the name of its folder. */
  readonly url: string
  readonly close: () => void
}

/** Serves the repositories in this folder, read-only. */
export async function serveRepositories(folder: string): Promise<GitServer> {
  const server = createServer((request, response) => answer(folder, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the git server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** https://datatracker.ietf.org/doc/html/rfc3875 */
function answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
  const { 'content-type': type, 'content-encoding': encoding, 'git-protocol': protocol } = request.headers
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      REMOTE_ADDR: '127.0.0.1',
      ...(type !== undefined && { CONTENT_TYPE: type }),
      ...(encoding !== undefined && { HTTP_CONTENT_ENCODING: encoding }),
      ...(typeof protocol === 'string' && { GIT_PROTOCOL: protocol }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  backend.once('error', () => response.destroy())
  // The client may close the connection.
  backend.stdin.on('error', () => undefined)
  request.pipe(backend.stdin)
  let head = Buffer.alloc(0)
  const readHead = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    backend.stdout.off('data', readHead)
    const headers = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map(line => /^([^:]+): *(.*)$/.exec(line) ?? [])
      .map(([, name = '', value = '']) => [name.toLowerCase(), value] as const)
    const status = Number.parseInt(headers.find(([name]) => name === 'status')?.[1] ?? '200', 10)
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'status')))
    response.write(head.subarray(end + '\r\n\r\n'.length))
    backend.stdout.pipe(response)
  }
  backend.stdout.on('data', readHead)
}
