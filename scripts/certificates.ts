// X.509 certificates made the way Crossplane makes them, with nothing but Node: for the tests and the demo.
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export interface Identity {
  /** PEM */
  readonly certificate: string
  /** PEM */
  readonly key: string
}

export interface Authority extends Identity {
  readonly signingKey: KeyObject
  readonly subject: Buffer
}

export interface CertificateRequest {
  /** What the holder may do with it; none at all leaves it open, as RFC 5280 has it. */
  readonly usages?: readonly ('client' | 'server' | 'any')[]
  readonly dnsNames?: readonly string[]
  /** IPv4 */
  readonly addresses?: readonly string[]
  readonly validFrom?: Date
  readonly validTo?: Date
  /** Crossplane leaves this alone: CA, servers and clients all have the one subject. */
  readonly commonName?: string
  /** Tidy issuers name the key that signed; Crossplane's leaves do not. */
  readonly keyIdentifiers?: boolean
}

const RSA_BITS = 2048
// 2022, on every certificate that Crossplane makes.
const SERIAL_NUMBER = [0x07, 0xe6]
const VALID_YEARS = 10
const DAY_MS = 24 * 60 * 60 * 1000

const oids = {
  country: '2.5.4.6',
  organization: '2.5.4.10',
  locality: '2.5.4.7',
  province: '2.5.4.8',
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const

// DER, as much of it as a certificate needs: https://www.itu.int/rec/T-REC-X.690
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  printable: 0x13,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
}
const dnsNameTag = 0x82
const addressTag = 0x87
const keyIdentifierTag = 0x80
const explicitTag = (number: number) => 0xa0 + number

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff)
  return Buffer.of(0x80 | bytes.length, ...bytes)
}

function der(type: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.of(type), lengthBytes(content.length), content])
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap(arc => {
    const digits = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
    return digits
  })
  return der(tag.oid, Buffer.of(first * 40 + second, ...bytes))
}

const integer = (...bytes: readonly number[]) => der(tag.integer, Buffer.from(bytes))
// UTCTime has two digits for the year, and is what RFC 5280 asks for up to 2049.
const time = (date: Date) => der(tag.utcTime, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(2, 14)}Z`))
const bits = (unused: number, content: Uint8Array) => der(tag.bitString, Buffer.of(unused), content)
const attribute = (type: string, text: string) => der(tag.set, der(tag.sequence, oid(type), der(tag.printable, Buffer.from(text, 'ascii'))))
const algorithm = der(tag.sequence, oid(oids.sha256WithRsa), der(tag.null))

function extension(type: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der(tag.boolean, Buffer.of(0xff))] : []
  return der(tag.sequence, oid(type), ...flag, der(tag.octetString, value))
}

function distinguishedName(commonName = 'Crossplane'): Buffer {
  return der(
    tag.sequence,
    attribute(oids.country, 'Earth'),
    attribute(oids.organization, 'Crossplane'),
    attribute(oids.locality, 'Earth'),
    attribute(oids.province, 'Earth'),
    attribute(oids.commonName, commonName),
  )
}

interface Parts {
  readonly subject: Buffer
  readonly issuer: Buffer
  readonly publicKey: KeyObject
  readonly signingKey: KeyObject
  readonly extensions: readonly Buffer[]
  readonly validFrom: Date
  readonly validTo: Date
}

function signed({ subject, issuer, publicKey, signingKey, extensions, validFrom, validTo }: Parts): string {
  const body = der(
    tag.sequence,
    der(explicitTag(0), integer(2)), // version 3
    integer(...SERIAL_NUMBER),
    algorithm,
    issuer,
    der(tag.sequence, time(validFrom), time(validTo)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(explicitTag(3), der(tag.sequence, ...extensions)),
  )
  const whole = der(tag.sequence, body, algorithm, bits(0, sign('sha256', body, signingKey)))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function validity({ validFrom, validTo }: CertificateRequest): { validFrom: Date; validTo: Date } {
  // A minute ago, so that it already holds where a clock is slow.
  return { validFrom: validFrom ?? new Date(Date.now() - 60_000), validTo: validTo ?? new Date(Date.now() + VALID_YEARS * 365 * DAY_MS) }
}

const keyPair = () => generateKeyPairSync('rsa', { modulusLength: RSA_BITS })
const pkcs1 = (key: KeyObject) => key.export({ type: 'pkcs1', format: 'pem' }).toString()
const identifier = (key: KeyObject) =>
  createHash('sha1')
    .update(key.export({ type: 'pkcs1', format: 'der' }))
    .digest()

/** A certificate authority of Crossplane's name, or of the given one. */
export function createAuthority(request: CertificateRequest = {}): Authority {
  const { publicKey, privateKey } = keyPair()
  const subject = distinguishedName(request.commonName)
  const extensions = [
    extension(oids.keyUsage, true, bits(1, Buffer.of(0b0000_0110))), // sign certificates and revocation lists
    extension(oids.basicConstraints, true, der(tag.sequence, der(tag.boolean, Buffer.of(0xff)))),
    extension(oids.subjectKeyIdentifier, false, der(tag.octetString, identifier(publicKey))),
  ]
  const certificate = signed({ subject, issuer: subject, publicKey, signingKey: privateKey, extensions, ...validity(request) })
  return { certificate, key: pkcs1(privateKey), signingKey: privateKey, subject }
}

/** A certificate that the authority vouches for; without an authority one that only vouches for itself. */
export function issueCertificate(authority: Authority | undefined, request: CertificateRequest): Identity {
  const { publicKey, privateKey } = keyPair()
  const subject = distinguishedName(request.commonName)
  const extensions = [
    extension(oids.keyUsage, true, bits(4, Buffer.of(0b1011_0000))), // signatures, key and data encipherment
    extension(oids.basicConstraints, true, der(tag.sequence)),
  ]
  if (request.usages !== undefined) {
    const usages = request.usages.map(usage => oid(oids[usage]))
    extensions.push(extension(oids.extendedKeyUsage, false, der(tag.sequence, ...usages)))
  }
  const names = [
    ...(request.dnsNames ?? []).map(name => der(dnsNameTag, Buffer.from(name, 'ascii'))),
    ...(request.addresses ?? []).map(address => der(addressTag, Buffer.from(address.split('.').map(Number)))),
  ]
  if (names.length > 0) extensions.push(extension(oids.subjectAltName, false, der(tag.sequence, ...names)))
  if (request.keyIdentifiers && authority !== undefined) {
    const issuer = der(keyIdentifierTag, identifier(createPublicKey(authority.signingKey)))
    extensions.push(extension(oids.subjectKeyIdentifier, false, der(tag.octetString, identifier(publicKey))))
    extensions.push(extension(oids.authorityKeyIdentifier, false, der(tag.sequence, issuer)))
  }
  const certificate = signed({
    subject,
    issuer: authority?.subject ?? subject,
    publicKey,
    signingKey: authority?.signingKey ?? privateKey,
    extensions,
    ...validity(request),
  })
  return { certificate, key: pkcs1(privateKey) }
}

/** The names that Crossplane puts into the certificate of a function's server. */
export function serverNames(functionName: string, namespace = 'crossplane-system'): string[] {
  return [functionName, `${functionName}.${namespace}`, `${functionName}.${namespace}.svc`]
}
