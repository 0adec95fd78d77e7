import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAuthority, issueCertificate } from '../../scripts/certificates.ts'
import { type Client, rejectionOf } from '../../src/function/client-certificate.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const now = Date.now()
const yesterday = new Date(now - DAY_MS)
const tomorrow = new Date(now + DAY_MS)
const lastWeek = new Date(now - 7 * DAY_MS)

const ours = createAuthority()
const namesake = createAuthority()
const lapsed = createAuthority({ validFrom: lastWeek, validTo: yesterday })
const x509 = ({ certificate }: { certificate: string }) => new X509Certificate(certificate)
const client = x509(issueCertificate(ours, { usages: ['client'] }))

const cases: { says: string; peer: Partial<Client>; trust?: X509Certificate[]; refusal: ReturnType<typeof rejectionOf> }[] = [
  { says: 'a client certificate that Crossplane issued', peer: { certificate: client }, refusal: undefined },
  {
    says: 'a client certificate that Crossplane issued, when the bundle has an older CA first',
    peer: { certificate: client },
    trust: [x509(namesake), x509(ours)],
    refusal: undefined,
  },
  {
    says: 'a client certificate with its own subject and key identifiers',
    peer: {
      certificate: x509(issueCertificate(ours, { usages: ['client'], commonName: 'core', keyIdentifiers: true })),
      chainVerified: true,
    },
    refusal: undefined,
  },
  { says: 'a chain that only OpenSSL can follow', peer: { certificate: client, chainVerified: true }, trust: [], refusal: undefined },
  {
    says: 'a certificate for clients and servers',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['server', 'client'] })) },
    refusal: undefined,
  },
  { says: 'a certificate for any usage', peer: { certificate: x509(issueCertificate(ours, { usages: ['any'] })) }, refusal: undefined },
  { says: 'a certificate that names no usage', peer: { certificate: x509(issueCertificate(ours, {})) }, refusal: undefined },
  { says: 'no certificate', peer: {}, refusal: 'no-certificate' },
  { says: 'no certificate, although OpenSSL reports it as verified', peer: { chainVerified: true }, refusal: 'no-certificate' },
  { says: 'a resumed session', peer: { certificate: client, chainVerified: true, resumed: true }, refusal: 'resumed-session' },
  {
    says: 'a self-signed certificate with the same subject',
    peer: { certificate: x509(issueCertificate(undefined, { usages: ['client'] })) },
    refusal: 'unknown-issuer',
  },
  {
    says: 'another CA with the same subject',
    peer: { certificate: x509(issueCertificate(namesake, { usages: ['client'] })) },
    refusal: 'unknown-issuer',
  },
  { says: 'an empty bundle', peer: { certificate: client }, trust: [], refusal: 'unknown-issuer' },
  { says: 'a leaf in the bundle', peer: { certificate: client }, trust: [client], refusal: 'unknown-issuer' },
  {
    says: 'an expired CA',
    peer: { certificate: x509(issueCertificate(lapsed, { usages: ['client'] })) },
    trust: [x509(lapsed)],
    refusal: 'unknown-issuer',
  },
  {
    says: 'an expired certificate',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['client'], validFrom: lastWeek, validTo: yesterday })) },
    refusal: 'expired',
  },
  {
    says: 'an expired certificate that OpenSSL accepts',
    peer: {
      certificate: x509(issueCertificate(ours, { usages: ['client'], validFrom: lastWeek, validTo: yesterday })),
      chainVerified: true,
    },
    refusal: 'expired',
  },
  {
    says: 'a certificate that is not yet valid',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['client'], validFrom: tomorrow })) },
    refusal: 'not-yet-valid',
  },
  {
    says: 'a server certificate',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['server'] })) },
    refusal: 'not-for-clients',
  },
  {
    says: 'a server certificate with a verified chain',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['server'] })), chainVerified: true },
    refusal: 'not-for-clients',
  },
  { says: 'the CA itself', peer: { certificate: x509(ours), chainVerified: true }, refusal: 'certificate-authority' },
]

test.each(cases)('$says: $refusal', ({ peer, trust, refusal }) => {
  expect(rejectionOf({ certificate: undefined, chainVerified: false, resumed: false, ...peer }, trust ?? [x509(ours)], now)).toBe(refusal)
})
