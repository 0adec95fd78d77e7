import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** Why a client is rejected; also the label of the metric, so the set stays closed and small. */
export const rejectionReasons = [
  'no-certificate',
  'resumed-session',
  'unknown-issuer',
  'not-yet-valid',
  'expired',
  'certificate-authority',
  'not-for-clients',
  'not-http2',
] as const
export type RejectionReason = (typeof rejectionReasons)[number]

export interface Client {
  readonly certificate: X509Certificate | undefined
  /** OpenSSL found a chain to a trusted certificate. */
  readonly chainVerified: boolean
  /** The client resumed an earlier TLS session instead of presenting its certificate. */
  readonly resumed: boolean
}

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2'
const ANY_USAGE = '2.5.29.37.0'

export function clientOf(socket: TLSSocket): Client {
  return { certificate: socket.getPeerX509Certificate(), chainVerified: socket.authorized, resumed: socket.isSessionReused() }
}

/**
 * Crossplane gives its CA and every leaf the same subject, and its leaves have no key identifiers.
 * OpenSSL considers such a leaf self-signed and finds no chain, so the signature is checked here, against each CA.
 */
function issuedBy(certificate: X509Certificate, authority: X509Certificate, now: number): boolean {
  return (
    authority.ca &&
    validityAt(authority, now) === undefined &&
    certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey)
  )
}

function validityAt({ validFrom, validTo }: X509Certificate, now: number): 'not-yet-valid' | 'expired' | undefined {
  if (now < Date.parse(validFrom)) return 'not-yet-valid'
  // An invalid date compares as false, and so counts as expired.
  return now <= Date.parse(validTo) ? undefined : 'expired'
}

function allowsClients({ keyUsage }: X509Certificate): boolean {
  // Node calls the extended usages keyUsage. A certificate without any allows every usage: RFC 5280, 4.2.1.12.
  const extendedUsages: readonly string[] | undefined = keyUsage
  return extendedUsages === undefined || extendedUsages.includes(CLIENT_AUTHENTICATION) || extendedUsages.includes(ANY_USAGE)
}

/** Undefined if the client is accepted. */
export function rejectionOf(peer: Client, authorities: readonly X509Certificate[], now: number): RejectionReason | undefined {
  // In TLS 1.3 a resumed session counts as verified even if no certificate was ever presented: never trust one.
  if (peer.resumed) return 'resumed-session'
  const { certificate } = peer
  if (certificate === undefined) return 'no-certificate'
  if (certificate.ca) return 'certificate-authority'
  if (!peer.chainVerified && !authorities.some(authority => issuedBy(certificate, authority, now))) return 'unknown-issuer'
  const invalid = validityAt(certificate, now)
  if (invalid !== undefined) return invalid
  return allowsClients(certificate) ? undefined : 'not-for-clients'
}
