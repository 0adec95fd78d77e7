// Issues X.509 certificates like Crossplane's, for the tests and the demo. Node cannot issue any, so this file encodes DER itself.
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
  /** The extended key usages. Without any, every usage is allowed: RFC 5280, 4.2.1.12. */
  readonly usages?: readonly ('client' | 'server' | 'any')[]
  readonly dnsNames?: readonly string[]
  /** IPv4 */
  readonly addresses?: readonly string[]
  /** Such as a SPIFFE ID. */
  readonly uris?: readonly string[]
  readonly validFrom?: Date
  readonly validTo?: Date
  /** Crossplane sets none: CA, servers and clients have the same subject. */
  readonly commonName?: string
  /** Whether the certificate names the key that signed it. Crossplane's leaf certificates do not. */
  readonly keyIdentifiers?: boolean
}

const RSA_BITS = 2048
// 2022, the serial number of every certificate of Crossplane.
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

// The part of DER that certificates need: https://www.itu.int/rec/T-REC-X.690
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
const uriTag = 0x86
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
// RFC 5280 requires UTCTime, with a two-digit year, for dates up to 2049.
const time = (date: Date) => der(tag.utcTime, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(2, 14)}Z`))
const bits = (unused: number, content: Uint8Array) => der(tag.bitString, Buffer.of(unused), content)
const attribute = (type: string, text: string) => der(tag.set, der(tag.sequence, oid(type), der(tag.printable, Buffer.from(text, 'ascii'))))
const algorithm = der(tag.sequence, oid(oids.sha256WithRsa), der(tag.null))

const extension = (type: string, value: Buffer) => der(tag.sequence, oid(type), der(tag.octetString, value))
const criticalExtension = (type: string, value: Buffer) =>
  der(tag.sequence, oid(type), der(tag.boolean, Buffer.of(0xff)), der(tag.octetString, value))

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
  const certificate = der(tag.sequence, body, algorithm, bits(0, sign('sha256', body, signingKey)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function validity({ validFrom, validTo }: CertificateRequest): { validFrom: Date; validTo: Date } {
  // Valid since a minute ago, in case another clock is slow.
  return { validFrom: validFrom ?? new Date(Date.now() - 60_000), validTo: validTo ?? new Date(Date.now() + VALID_YEARS * 365 * DAY_MS) }
}

const keyPair = () => generateKeyPairSync('rsa', { modulusLength: RSA_BITS })
const pkcs1 = (key: KeyObject) => key.export({ type: 'pkcs1', format: 'pem' }).toString()
const identifier = (key: KeyObject) =>
  createHash('sha1')
    .update(key.export({ type: 'pkcs1', format: 'der' }))
    .digest()

/** Creates a certificate authority with Crossplane's subject, or with the given common name. */
export function createAuthority(request: CertificateRequest = {}): Authority {
  const { publicKey, privateKey } = keyPair()
  const subject = distinguishedName(request.commonName)
  const extensions = [
    criticalExtension(oids.keyUsage, bits(1, Buffer.of(0b0000_0110))), // sign certificates and revocation lists
    criticalExtension(oids.basicConstraints, der(tag.sequence, der(tag.boolean, Buffer.of(0xff)))),
    extension(oids.subjectKeyIdentifier, der(tag.octetString, identifier(publicKey))),
  ]
  const certificate = signed({ subject, issuer: subject, publicKey, signingKey: privateKey, extensions, ...validity(request) })
  return { certificate, key: pkcs1(privateKey), signingKey: privateKey, subject }
}

/** Issues a certificate of the authority; a self-signed one without an authority. */
export function issueCertificate(authority: Authority | undefined, request: CertificateRequest): Identity {
  const { publicKey, privateKey } = keyPair()
  const subject = distinguishedName(request.commonName)
  const extensions = [
    criticalExtension(oids.keyUsage, bits(4, Buffer.of(0b1011_0000))), // signatures, key and data encipherment
    criticalExtension(oids.basicConstraints, der(tag.sequence)),
  ]
  if (request.usages !== undefined) {
    const usages = request.usages.map(usage => oid(oids[usage]))
    extensions.push(extension(oids.extendedKeyUsage, der(tag.sequence, ...usages)))
  }
  const names = [
    ...(request.dnsNames ?? []).map(name => der(dnsNameTag, Buffer.from(name, 'ascii'))),
    ...(request.uris ?? []).map(uri => der(uriTag, Buffer.from(uri, 'ascii'))),
    ...(request.addresses ?? []).map(address => der(addressTag, Buffer.from(address.split('.').map(Number)))),
  ]
  if (names.length > 0) extensions.push(extension(oids.subjectAltName, der(tag.sequence, ...names)))
  if (request.keyIdentifiers && authority !== undefined) {
    const issuer = der(keyIdentifierTag, identifier(createPublicKey(authority.signingKey)))
    extensions.push(extension(oids.subjectKeyIdentifier, der(tag.octetString, identifier(publicKey))))
    extensions.push(extension(oids.authorityKeyIdentifier, der(tag.sequence, issuer)))
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

/** The DNS names in the server certificate of a function. */
export function serverNames(functionName: string, namespace = 'crossplane-system'): string[] {
  return [functionName, `${functionName}.${namespace}`, `${functionName}.${namespace}.svc`]
}
