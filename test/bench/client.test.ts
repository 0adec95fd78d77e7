import { RunFunctionRequest, RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { expect, onTestFinished, test } from 'vitest'
import { createAuthority, type Identity, issueCertificate } from '../../scripts/certificates.ts'
import { certificateFolder, serve, serverIdentity } from '../function/serving.ts'
import { open } from './client.ts'

const MESSAGE_BYTES = 40_000
// Fewer than the concurrent streams of the server.
const CALLS = 200

const authority = createAuthority()
const client = issueCertificate(authority, { usages: ['client'] })

async function connected(port: number, identity?: Identity) {
  const connection = await open(port, identity)
  onTestFinished(connection.close)
  return connection
}

const request = (tag: string) =>
  RunFunctionRequest.encode(
    RunFunctionRequest.fromPartial({ meta: { tag }, desired: { composite: { resource: { filler: 'x'.repeat(MESSAGE_BYTES) } } } }),
  ).finish()

test.each([
  { over: 'plaintext', identity: undefined },
  { over: 'mutual TLS', identity: client },
])('completes concurrent calls over $over that exceed a frame and every window', async ({ identity }) => {
  const secure = identity && { certificatesDirectory: certificateFolder(authority.certificate, serverIdentity(authority)) }
  const { port } = await serve(secure)
  const { call } = await connected(port, identity)
  const answers = await Promise.all(Array.from({ length: CALLS }, (_, index) => call(request(`call ${index}`))))
  answers.forEach((answer, index) => {
    const { meta, desired } = RunFunctionResponse.decode(answer)
    expect(meta?.tag).toBe(`call ${index}`)
    expect(desired?.composite?.resource?.filler).toHaveLength(MESSAGE_BYTES)
  })
})

test('a failed call rejects and leaves the connection usable', async () => {
  const { port } = await serve()
  const { call } = await connected(port)
  await expect(call(Buffer.of(0xff))).rejects.toThrow('without an answer')
  expect(RunFunctionResponse.decode(await call(request('after'))).meta?.tag).toBe('after')
})

test('rejects open calls when the function stops', async () => {
  const server = await serve({}, () => {
    void server.stop(0)
    throw new Error('stopped')
  })
  const { call } = await connected(server.port)
  await expect(Promise.all(Array.from({ length: 10 }, () => call(request('lost'))))).rejects.toThrow()
})

test('rejects if nothing listens on the port', () => expect(open(1)).rejects.toThrow('ECONNREFUSED'))
