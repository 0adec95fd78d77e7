import { constants, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext, type SecureContextOptions } from 'node:tls'

interface Files {
  readonly certificate: string
  readonly key: string
  /** ca.crt: one CA, or several during a rotation. */
  readonly bundle: string
}

export interface Certificates extends Files {
  readonly authorities: readonly X509Certificate[]
  readonly validTo: { readonly server: Date; readonly ca: Date }
}

// X509Certificate of node:crypto reads only the first certificate of a bundle, so a pattern splits it.
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function read(directory: string, name: string): string {
  const path = join(directory, name)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read ${path}: ${reasonOf(error)}`)
  }
}

function parse(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new Error(`${path} is not a PEM certificate: ${reasonOf(error)}`)
  }
}

const readFiles = (directory: string): Files => ({
  certificate: read(directory, 'tls.crt'),
  key: read(directory, 'tls.key'),
  bundle: read(directory, 'ca.crt'),
})

/** Throws with the reason if a server cannot use the three files. */
function parseCertificates(directory: string, files: Files): Certificates {
  const server = parse(files.certificate, join(directory, 'tls.crt'))
  const bundled = (files.bundle.match(PEM_CERTIFICATE) ?? []).map(pem => parse(pem, join(directory, 'ca.crt')))
  const authorities = bundled.filter(({ ca }) => ca)
  if (authorities.length === 0) throw new Error(`${join(directory, 'ca.crt')} contains no CA certificate`)
  try {
    createSecureContext(contextOf(files))
  } catch (error) {
    throw new Error(`tls.crt and tls.key in ${directory} do not match: ${reasonOf(error)}`)
  }
  const lastCa = Math.max(...authorities.map(({ validTo }) => Date.parse(validTo)))
  return { ...files, authorities, validTo: { server: new Date(server.validTo), ca: new Date(lastCa) } }
}

export const readCertificates = (directory: string): Certificates => parseCertificates(directory, readFiles(directory))

export function contextOf({ certificate, key, bundle }: Files): SecureContextOptions {
  return { cert: certificate, key, ca: bundle, minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET }
}

const isSameFiles = (a: Files, b: Files) => a.certificate === b.certificate && a.key === b.key && a.bundle === b.bundle

export interface Watcher {
  readonly changed: (now: Certificates, before: Certificates) => void
  readonly unusable: (reason: string) => void
  /** The files are usable again, changed or not. */
  readonly recovered: () => void
}

/**
 * Calls back when the certificates in the folder change. Polls, because a mounted secret changes by swapping a link two levels
 * up, which file notifications miss. Half-written files are rejected, reported once, and read again at the next poll.
 */
export function watchCertificates(
  directory: string,
  first: Certificates,
  intervalMs: number,
  { changed, unusable, recovered }: Watcher,
): NodeJS.Timeout {
  let current = first
  let reported: string | undefined
  const poll = () => {
    try {
      const found = readFiles(directory)
      if (!isSameFiles(found, current)) {
        const before = current
        current = parseCertificates(directory, found)
        changed(current, before)
      }
      if (reported !== undefined) recovered()
      reported = undefined
    } catch (error) {
      const reason = reasonOf(error)
      if (reason !== reported) unusable(reason)
      reported = reason
    }
  }
  return setInterval(poll, intervalMs).unref()
}
