// A git server with TLS for pods: git's own HTTP backend behind a Service. Repositories under /private/ want a user and a password.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { dirname, join } from 'node:path'
import { issueCertificate } from '../../../scripts/certificates.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { NODE_ADDRESS } from '../node/addresses.ts'

const NAMESPACE = 'git'
const HOST = `git.${NAMESPACE}.svc.cluster.local`
/** Who may read private repositories. */
export const READER = { username: 'reader', password: 'let-me-read' } as const

export type Files = Readonly<Record<string, string | undefined>>

export interface Repository {
  readonly url: string
  /** Commits these files on the branch, and returns the commit; undefined removes a file. */
  readonly commit: (files: Files, branch?: string) => string
  /** Tags the last commit. */
  readonly tag: (name: string) => void
}

export interface GitServer {
  /** A repository with a branch main, such as `team/orders` or `private/orders`. */
  readonly createRepository: (name: string) => Repository
  readonly stop: () => void
}

const identity = ['-c', 'user.name=tests', '-c', 'user.email=tests@example.com']
const environment = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }

export async function startGitServer({ folder: root, authority, applyAll, reached }: Cluster): Promise<GitServer> {
  const folder = join(root, 'git')
  mkdirSync(folder)
  const { certificate: cert, key } = issueCertificate(authority, { commonName: 'git', usages: ['server'], dnsNames: [HOST] })
  const server = createServer({ cert, key }, (incoming, outgoing) => answer(folder, incoming, outgoing))
  server.listen(0, NODE_ADDRESS)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the git server has no port')
  await applyAll([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'git', namespace: NAMESPACE }, spec: { ports: [{ name: 'https', port: 443 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'git', namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': 'git' } },
      addressType: 'IPv4',
      ports: [{ name: 'https', port: address.port, protocol: 'TCP' }],
      endpoints: [{ addresses: [NODE_ADDRESS], conditions: { ready: true } }],
    },
  ])
  reached('the git server is up')
  return {
    createRepository: name => createRepository(folder, name),
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function createRepository(folder: string, name: string): Repository {
  const tree = join(folder, 'trees', name)
  const bare = join(folder, 'served', `${name}.git`)
  mkdirSync(tree, { recursive: true })
  const git = (...args: string[]) =>
    execFileSync('git', [...identity, ...args], { cwd: tree, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  git('init', '--quiet', '--bare', '--initial-branch=main', bare)
  git('init', '--quiet', '--initial-branch=main')
  git('remote', 'add', 'origin', bare)
  return {
    url: `https://${HOST}/${name}.git`,
    commit: (files, branch = 'main') => {
      git('checkout', '--quiet', '-B', branch)
      for (const [path, content] of Object.entries(files)) {
        const file = join(tree, path)
        mkdirSync(dirname(file), { recursive: true })
        if (content === undefined) rmSync(file)
        else writeFileSync(file, content)
      }
      git('add', '--all')
      git('commit', '--quiet', '--allow-empty', '--message', 'change')
      git('push', '--quiet', 'origin', branch)
      return git('rev-parse', 'HEAD')
    },
    tag: tag => {
      git('tag', tag)
      git('push', '--quiet', 'origin', tag)
    },
  }
}

/** Runs git's HTTP backend, a CGI program: https://git-scm.com/docs/git-http-backend */
function answer(folder: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { pathname, search } = new URL(incoming.url ?? '/', 'https://git')
  const { authorization, 'content-type': type = '', 'content-encoding': encoding = '', 'git-protocol': protocol } = incoming.headers
  const expected = `Basic ${Buffer.from(`${READER.username}:${READER.password}`).toString('base64')}`
  if (pathname.startsWith('/private/') && authorization !== expected)
    return void outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('who are you?')
  const env = {
    ...environment,
    GIT_PROJECT_ROOT: join(folder, 'served'),
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: incoming.method ?? 'GET',
    PATH_INFO: pathname,
    QUERY_STRING: search.slice(1),
    CONTENT_TYPE: type,
    HTTP_CONTENT_ENCODING: encoding,
    ...(typeof protocol === 'string' && { GIT_PROTOCOL: protocol }),
  }
  const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  incoming.pipe(backend.stdin)
  backend.stdin.on('error', () => undefined)
  let head = Buffer.alloc(0)
  const read = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    backend.stdout.off('data', read)
    const lines = head.subarray(0, end).toString().split('\r\n')
    const headers = Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]))
    const { Status: status = '200', ...others } = headers
    outgoing.writeHead(Number.parseInt(status, 10), others)
    outgoing.write(head.subarray(end + '\r\n\r\n'.length))
    backend.stdout.pipe(outgoing)
  }
  backend.stdout.on('data', read)
  backend.once('error', () => outgoing.destroy())
}
