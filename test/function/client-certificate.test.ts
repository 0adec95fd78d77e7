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

const cases: { title: string; peer: Partial<Client>; trust?: X509Certificate[]; refusal: ReturnType<typeof rejectionOf> }[] = [
  { title: 'a client certificate that Crossplane issued', peer: { certificate: client }, refusal: undefined },
  {
    title: 'a client certificate that Crossplane issued, when the bundle has an older CA first',
    peer: { certificate: client },
    trust: [x509(namesake), x509(ours)],
    refusal: undefined,
  },
  {
    title: 'a client certificate with its own subject and key identifiers',
    peer: {
      certificate: x509(issueCertificate(ours, { usages: ['client'], commonName: 'core', keyIdentifiers: true })),
      chainVerified: true,
    },
    refusal: undefined,
  },
  { title: 'a chain that only OpenSSL can follow', peer: { certificate: client, chainVerified: true }, trust: [], refusal: undefined },
  {
    title: 'a certificate for clients and servers',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['server', 'client'] })) },
    refusal: undefined,
  },
  { title: 'a certificate for any usage', peer: { certificate: x509(issueCertificate(ours, { usages: ['any'] })) }, refusal: undefined },
  { title: 'a certificate that names no usage', peer: { certificate: x509(issueCertificate(ours, {})) }, refusal: undefined },
  { title: 'no certificate', peer: {}, refusal: 'no-certificate' },
  { title: 'no certificate, although OpenSSL reports it as verified', peer: { chainVerified: true }, refusal: 'no-certificate' },
  { title: 'a resumed session', peer: { certificate: client, chainVerified: true, resumed: true }, refusal: 'resumed-session' },
  {
    title: 'a self-signed certificate with the same subject',
    peer: { certificate: x509(issueCertificate(undefined, { usages: ['client'] })) },
    refusal: 'unknown-issuer',
  },
  {
    title: 'another CA with the same subject',
    peer: { certificate: x509(issueCertificate(namesake, { usages: ['client'] })) },
    refusal: 'unknown-issuer',
  },
  { title: 'an empty bundle', peer: { certificate: client }, trust: [], refusal: 'unknown-issuer' },
  { title: 'a leaf in the bundle', peer: { certificate: client }, trust: [client], refusal: 'unknown-issuer' },
  {
    title: 'an expired CA',
    peer: { certificate: x509(issueCertificate(lapsed, { usages: ['client'] })) },
    trust: [x509(lapsed)],
    refusal: 'unknown-issuer',
  },
  {
    title: 'an expired certificate',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['client'], validFrom: lastWeek, validTo: yesterday })) },
    refusal: 'expired',
  },
  {
    title: 'an expired certificate that OpenSSL accepts',
    peer: {
      certificate: x509(issueCertificate(ours, { usages: ['client'], validFrom: lastWeek, validTo: yesterday })),
      chainVerified: true,
    },
    refusal: 'expired',
  },
  {
    title: 'a certificate that is not yet valid',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['client'], validFrom: tomorrow })) },
    refusal: 'not-yet-valid',
  },
  {
    title: 'a server certificate',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['server'] })) },
    refusal: 'not-for-clients',
  },
  {
    title: 'a server certificate with a verified chain',
    peer: { certificate: x509(issueCertificate(ours, { usages: ['server'] })), chainVerified: true },
    refusal: 'not-for-clients',
  },
  { title: 'the CA itself', peer: { certificate: x509(ours), chainVerified: true }, refusal: 'certificate-authority' },
]

test.each(cases)('$title: $refusal', ({ peer, trust, refusal }) => {
  expect(rejectionOf({ certificate: undefined, chainVerified: false, resumed: false, ...peer }, trust ?? [x509(ours)], now)).toBe(refusal)
})
