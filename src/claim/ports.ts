import type { Finding, Path } from './findings.ts'

const HIGHEST_PORT = 65_535
/** Of a host with a port, also within a URL. */
const PORT = /^(?:[a-z]+:\/\/)?(?:\[[^\]]*\]|[^/:]*):(\d+)/

/** A pattern knows digits, not numbers. */
export const wrongPorts = (addresses: readonly { readonly path: Path; readonly text: string | undefined }[]): Finding[] =>
  addresses.flatMap(({ path, text = '' }): Finding[] =>
    isWrong(text) ? [{ code: 'OUT_OF_RANGE', path, problem: `must have a port from 1 to ${HIGHEST_PORT}`, found: text }] : [],
  )

function isWrong(address: string): boolean {
  const port = PORT.exec(address)?.[1]
  return port !== undefined && (Number(port) < 1 || Number(port) > HIGHEST_PORT)
}
