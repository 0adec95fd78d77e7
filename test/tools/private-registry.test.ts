import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PULLER, startPrivateRegistry } from '../e2e/node/private-registry.ts'

const closing: (() => void)[] = []
let url = ''

beforeAll(async () => {
  const open: Server = createServer(({ method, url: path }, outgoing) => {
    outgoing.writeHead(path === '/v2/' ? 200 : 404, { 'content-type': 'text/plain' })
    outgoing.end(`${method} ${path}`)
  })
  await new Promise<void>(resolve => void open.listen(0, '127.0.0.1', resolve))
  closing.push(() => open.close())
  const address = open.address()
  if (address === null || typeof address === 'string') throw new Error('the open registry has no port')
  url = await startPrivateRegistry(`127.0.0.1:${address.port}`, close => closing.push(close))
})
afterAll(() => {
  for (const close of closing) close()
})

const login = (username: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
})

test.for([
  ['nobody', {}],
  ['a wrong password', login(PULLER.username, 'guessed')],
  ['a wrong user', login('somebody', PULLER.password)],
] as const)('asks for a login: %s', async ([, headers]) => {
  const answer = await fetch(`${url}/v2/`, { headers })
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="private"'])
  expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] })
})

test.for([
  ['/v2/', 200],
  ['/v2/missing', 404],
] as const)('passes %s of the puller on to the open registry', async ([path, status]) => {
  const answer = await fetch(`${url}${path}`, { headers: login(PULLER.username, PULLER.password) })
  expect([answer.status, await answer.text()]).toEqual([status, `GET ${path}`])
})
