import { parseArgs } from 'node:util'

export interface Address {
  /** Undefined for every interface. */
  readonly host: string | undefined
  readonly port: number
}

export interface Options {
  readonly debug: boolean
  /** Undefined for plaintext, which only `--insecure` sets. */
  readonly certificatesDirectory: string | undefined
  readonly address: Address
  readonly maxReceiveBytes: number
  /** Undefined for no metrics and no HTTP probes. */
  readonly metricsAddress: Address | undefined
}

export type Command =
  | { readonly do: 'serve'; readonly options: Options }
  | { readonly do: 'print-help' }
  | { readonly do: 'print-version' }
  | { readonly do: 'refuse'; readonly problem: string }

const MEBIBYTE = 1024 * 1024
const MAX_MEBIBYTES = 1024
const HIGHEST_PORT = 65_535

export const help = `Usage: function-event-driven-service [flags]

Serves the composition function to Crossplane over gRPC with mutual TLS.

  -d, --debug                       Log every call.
      --insecure                    Serve plaintext to anyone; certificates are ignored.
      --tls-certs-dir=DIR           Folder with tls.crt, tls.key and ca.crt (/tls/server) [$TLS_SERVER_CERTS_DIR].
      --network=tcp                 Network to listen on; must be tcp.
      --address=[HOST]:PORT         Address of the gRPC server (:9443). Port 0 chooses a free port and logs it.
      --max-recv-message-size=MB    Largest request in MB (4).
      --metrics-address=[HOST]:PORT Address of the HTTP server for /metrics, /healthz and /readyz (:8080); empty disables it.
      --version                     Print the version.
  -h, --help                        Print this help.

Example: function-event-driven-service --insecure --debug --address=127.0.0.1:9443
`

const flags = {
  debug: { type: 'boolean', short: 'd', default: false },
  insecure: { type: 'boolean', default: false },
  'tls-certs-dir': { type: 'string' },
  network: { type: 'string', default: 'tcp' },
  address: { type: 'string', default: ':9443' },
  'max-recv-message-size': { type: 'string', default: '4' },
  'metrics-address': { type: 'string', default: ':8080' },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** `:9443`, `127.0.0.1:9443`, `localhost:9443`, `[::1]:9443` */
function parseAddress(text: string): Address | undefined {
  const [, ipv6, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^[\]:\s]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > HIGHEST_PORT) return undefined
  return { host: ipv6 ?? (name || undefined), port }
}

/** Crossplane's Go functions also accept `--debug=true`, which parseArgs does not. */
function plainBooleans(args: readonly string[]): string[] {
  return args.flatMap(arg => {
    const [, flag, value] = /^(--(?:debug|insecure))=(true|false)$/.exec(arg) ?? []
    if (flag === undefined) return [arg]
    return value === 'true' ? [flag] : []
  })
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: plainBooleans(args), options: flags, strict: true, allowPositionals: false }).values
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
}

export function parseOptions(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): Command {
  const values = readFlags(args)
  if (typeof values === 'string') return { do: 'refuse', problem: values }
  if (values.help) return { do: 'print-help' }
  if (values.version) return { do: 'print-version' }

  const refuse = (flag: keyof typeof values, allowed: string): Command => ({
    do: 'refuse',
    problem: `--${flag}: must be ${allowed}, got '${values[flag]}'`,
  })
  if (values.network !== 'tcp') return refuse('network', 'tcp')
  const address = parseAddress(values.address)
  if (address === undefined) return refuse('address', `[HOST]:PORT with a port up to ${HIGHEST_PORT}`)
  const metricsAddress = values['metrics-address'] === '' ? undefined : parseAddress(values['metrics-address'])
  if (metricsAddress === undefined && values['metrics-address'] !== '') {
    return refuse('metrics-address', `[HOST]:PORT with a port up to ${HIGHEST_PORT}, or empty`)
  }
  const mebibytes = Number(values['max-recv-message-size'])
  if (!/^\d+$/.test(values['max-recv-message-size']) || mebibytes < 1 || mebibytes > MAX_MEBIBYTES) {
    return refuse('max-recv-message-size', `a whole number of megabytes from 1 to ${MAX_MEBIBYTES}`)
  }
  const directory = values['tls-certs-dir'] || environment.TLS_SERVER_CERTS_DIR || '/tls/server'
  return {
    do: 'serve',
    options: {
      debug: values.debug,
      certificatesDirectory: values.insecure ? undefined : directory,
      address,
      maxReceiveBytes: mebibytes * MEBIBYTE,
      metricsAddress,
    },
  }
}
