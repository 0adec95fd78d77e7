// Operator, accounts and users of a NATS server with JWT credentials, like nsc creates them:
// https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { JsonObject } from '../../../src/kubernetes/json.ts'

// Each prefix makes the encoded key begin with its letter: https://github.com/nats-io/nkeys
const prefixes = { operator: 14 << 3, account: 0, user: 20 << 3 }
const SEED_PREFIX = 18 << 3
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
// Everything of a private Ed25519 key in DER but its seed: RFC 8410.
const PRIVATE_KEY = Buffer.from('302e020100300506032b657004220420', 'hex')

type Role = keyof typeof prefixes

interface Keys {
  readonly role: Role
  /** The public key. */
  readonly id: string
  readonly seed: string
  readonly privateKey: KeyObject
}

/** The files and settings of a server with one account that contains the streams. */
export interface Accounts {
  /** The public key of the account. */
  readonly account: string
  /** The lines of the server's configuration. */
  readonly configuration: string
  /** The .creds file of a user of the account. */
  readonly credentials: string
}

/** Base32 without padding: RFC 4648. */
function encode(bytes: Uint8Array): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map(five => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

function decode(text: string): Buffer {
  const bits = [...text].map(letter => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map(byte => Number.parseInt(byte, 2)))
}

/** CRC-16/XMODEM, which ends every encoded key. */
function checksum(bytes: Uint8Array): Buffer {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return Buffer.of(crc & 0xff, crc >> 8)
}

function encodeKey(...parts: readonly Uint8Array[]): string {
  const bytes = Buffer.concat(parts)
  return encode(Buffer.concat([bytes, checksum(bytes)]))
}

function createKeys(role: Role): Keys {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { x = '', d = '' } = privateKey.export({ format: 'jwk' })
  const prefix = prefixes[role]
  return {
    role,
    id: encodeKey(Buffer.of(prefix), Buffer.from(x, 'base64url')),
    seed: encodeKey(Buffer.of(SEED_PREFIX | (prefix >> 5), (prefix & 31) << 3), Buffer.from(d, 'base64url')),
    privateKey,
  }
}

const base64 = (value: JsonObject) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT in which the issuer describes the subject. */
function issue(issuer: Keys, subject: Keys, name: string, nats: JsonObject = {}): string {
  const claims = { iat: Math.floor(Date.now() / 1000), iss: issuer.id, sub: subject.id, name }
  const body = { ...claims, nats: { ...nats, type: subject.role, version: 2 } }
  const jti = encode(createHash('sha256').update(JSON.stringify(body)).digest())
  const signed = `${base64({ typ: 'JWT', alg: 'ed25519-nkey' })}.${base64({ jti, ...body })}`
  return `${signed}.${sign(null, Buffer.from(signed), issuer.privateKey).toString('base64url')}`
}

const UNLIMITED = -1
const userLimits = { subs: UNLIMITED, data: UNLIMITED, payload: UNLIMITED }
const accountLimits = {
  ...userLimits,
  ...{ conn: UNLIMITED, leaf: UNLIMITED, imports: UNLIMITED, exports: UNLIMITED, wildcards: true },
  ...{ mem_storage: UNLIMITED, disk_storage: UNLIMITED, streams: UNLIMITED, consumer: UNLIMITED },
}

export function createAccounts(name: string): Accounts {
  const [operator, system, account, user] = [createKeys('operator'), createKeys('account'), createKeys('account'), createKeys('user')]
  const ofAccount = issue(operator, account, name, { limits: accountLimits })
  const ofUser = issue(account, user, 'worker', userLimits)
  return {
    account: account.id,
    configuration: [
      `operator: ${issue(operator, operator, 'tests')}`,
      // JetStream does not start without one.
      `system_account: ${system.id}`,
      'resolver: MEMORY',
      `resolver_preload: { ${system.id}: ${issue(operator, system, 'SYS')}, ${account.id}: ${ofAccount} }`,
      '',
    ].join('\n'),
    credentials: `-----BEGIN NATS USER JWT-----
${ofUser}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${user.seed}
------END USER NKEY SEED------
`,
  }
}

/** What a client with this .creds file answers to the server's nonce. */
export function answerTo(nonce: string, credentials: string): { readonly jwt: string; readonly sig: string } {
  const [jwt = '', seed = ''] = [...credentials.matchAll(/^-+BEGIN .*\n(.*)$/gm)].map(([, line]) => line)
  // Two bytes of prefixes come first, and two of the checksum last.
  const key = Buffer.concat([PRIVATE_KEY, decode(seed).subarray(2, -2)])
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  return { jwt, sig: sign(null, Buffer.from(nonce), privateKey).toString('base64url') }
}
