// The state of the page in the fragment of its address, which a browser never sends to a server.

export interface State {
  /** The name of an example, if the claim is one as it is. */
  readonly example?: string
  readonly claim?: string
  readonly platform?: string
  readonly cluster?: string
  readonly environment?: string
  /** A field at which the cursor is, such as `spec.size`. */
  readonly at?: string
}

const PLAIN = ['example', 'cluster', 'environment', 'at'] as const
const PACKED = ['claim', 'platform'] as const

export async function writeAddress(state: State): Promise<string> {
  const parts = new URLSearchParams()
  for (const name of PLAIN) if (state[name] !== undefined) parts.set(name, state[name])
  for (const name of PACKED) if (state[name] !== undefined) parts.set(name, await pack(state[name]))
  // A slash needs no escape in a fragment.
  return parts.toString().replaceAll('%2F', '/')
}

/** Leaves out what can't be read: a link may be cut off. */
export async function readAddress(fragment: string): Promise<State> {
  const parts = new URLSearchParams(fragment.replace(/^#/, ''))
  const state: Record<string, string> = {}
  for (const name of PLAIN) {
    const value = parts.get(name)
    if (value !== null) state[name] = value
  }
  for (const name of PACKED) {
    const value = parts.get(name)
    const text = value === null ? undefined : await unpack(value).catch(() => undefined)
    if (text !== undefined) state[name] = text
  }
  return state
}

const throughStream = async (bytes: Uint8Array<ArrayBuffer>, stream: GenericTransformStream) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer())

/** Deflated, in the alphabet of addresses. */
async function pack(text: string): Promise<string> {
  const bytes = await throughStream(new TextEncoder().encode(text), new CompressionStream('deflate-raw'))
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

async function unpack(packed: string): Promise<string> {
  const bytes = Uint8Array.from(atob(packed.replaceAll('-', '+').replaceAll('_', '/')), char => char.charCodeAt(0))
  return new TextDecoder().decode(await throughStream(bytes, new DecompressionStream('deflate-raw')))
}
