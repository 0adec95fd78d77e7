// An identity provider on loopback: its public keys over HTTPS, which istiod reads, and tokens.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { issueCertificate } from '../../../scripts/certificates.ts'

export const ISSUER = 'https://id.example.com'

const encoded = (value: object | Buffer): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString('base64url')

const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 })

function token(key: KeyObject, audience: string, expires: number): string {
  const head = encoded({ alg: 'RS256', typ: 'JWT', kid: '1' })
  const body = encoded({ iss: ISSUER, sub: 'somebody', aud: audience, exp: expires })
  return `${head}.${body}.${encoded(sign('sha256', Buffer.from(`${head}.${body}`), key))}`
}

export interface IdentityProvider {
  readonly jwksUri: string
  readonly tokens: Readonly<Record<'valid' | 'forAnother' | 'expired' | 'forged' | 'unsigned', string>>
  readonly stop: () => void
}

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const { publicKey, privateKey } = newKey()
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }] })
  const { certificate, key } = issueCertificate(undefined, { commonName: 'id', usages: ['server'], addresses: ['127.0.0.1'] })
  const server = createServer({ cert: certificate, key }, (_, answer) => answer.setHeader('content-type', 'application/json').end(jwks))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const later = Math.floor(Date.now() / 1000) + 3600
  const valid = token(privateKey, 'orders', later)
  const [, claims = ''] = valid.split('.')
  return {
    jwksUri: `https://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    tokens: {
      valid,
      forAnother: token(privateKey, 'ledger', later),
      expired: token(privateKey, 'orders', later - 7200),
      forged: token(newKey().privateKey, 'orders', later),
      unsigned: `${encoded({ alg: 'none', typ: 'JWT' })}.${claims}.`,
    },
    stop: () => server.close(),
  }
}
