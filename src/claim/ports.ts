import type { Finding, Path } from './findings.ts'

const HIGHEST_PORT = 65_535
/** The port after a host, also in a URL. */
const PORT = /^(?:[a-z]+:\/\/)?(?:\[[^\]]*\]|[^/:]*):(\d+)/

/** Addresses whose port is out of range, which a pattern cannot express. */
export const wrongPorts = (addresses: readonly { readonly path: Path; readonly text: string | undefined }[]): Finding[] =>
  addresses.flatMap(({ path, text = '' }): Finding[] =>
    isWrong(text) ? [{ code: 'OUT_OF_RANGE', path, problem: `must have a port from 1 to ${HIGHEST_PORT}`, found: text }] : [],
  )

function isWrong(address: string): boolean {
  const port = PORT.exec(address)?.[1]
  return port !== undefined && (Number(port) < 1 || Number(port) > HIGHEST_PORT)
}
