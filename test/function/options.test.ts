import { expect, test } from 'vitest'
import { type Options, parseOptions } from '../../src/function/options.ts'

const defaults: Options = {
  debug: false,
  certificatesDirectory: '/tls/server',
  address: { host: undefined, port: 9443 },
  maxReceiveBytes: 4 * 1024 * 1024,
  metricsAddress: { host: undefined, port: 8080 },
}

const accepted: { args: string[]; environment?: Record<string, string>; changes: Partial<Options> }[] = [
  { args: [], changes: {} },
  { args: ['-d'], changes: { debug: true } },
  { args: ['--debug'], changes: { debug: true } },
  { args: ['--debug=true'], changes: { debug: true } },
  { args: ['--debug=false'], changes: {} },
  { args: ['--insecure'], changes: { certificatesDirectory: undefined } },
  { args: ['--insecure', '--tls-certs-dir=/certs'], changes: { certificatesDirectory: undefined } },
  { args: ['--tls-certs-dir', '/certs'], changes: { certificatesDirectory: '/certs' } },
  { args: [], environment: { TLS_SERVER_CERTS_DIR: '/mounted' }, changes: { certificatesDirectory: '/mounted' } },
  { args: ['--tls-certs-dir=/certs'], environment: { TLS_SERVER_CERTS_DIR: '/mounted' }, changes: { certificatesDirectory: '/certs' } },
  { args: ['--network=tcp'], changes: {} },
  { args: ['--address', '127.0.0.1:0'], changes: { address: { host: '127.0.0.1', port: 0 } } },
  { args: ['--address=localhost:1234'], changes: { address: { host: 'localhost', port: 1234 } } },
  { args: ['--address=[::1]:1234'], changes: { address: { host: '::1', port: 1234 } } },
  { args: ['--max-recv-message-size=16'], changes: { maxReceiveBytes: 16 * 1024 * 1024 } },
  { args: ['--metrics-address=127.0.0.1:9090'], changes: { metricsAddress: { host: '127.0.0.1', port: 9090 } } },
  { args: ['--metrics-address='], changes: { metricsAddress: undefined } },
  { args: ['--metrics-address', ''], changes: { metricsAddress: undefined } },
]

test.each(accepted)('$args $environment', ({ args, environment, changes }) => {
  expect(parseOptions(args, environment ?? {})).toEqual({ do: 'serve', options: { ...defaults, ...changes } })
})

test.each([
  { args: ['--adress=:1'], problem: /--adress/ },
  { args: ['serve'], problem: /serve/ },
  { args: ['--address'], problem: /--address/ },
  { args: ['--debug=maybe'], problem: /--debug/ },
  { args: ['--address=9443'], problem: "--address: must be [HOST]:PORT with a port up to 65535, got '9443'" },
  { args: ['--address=:65536'], problem: /--address: must be .* got ':65536'/ },
  { args: ['--address=::1:9443'], problem: /--address: must be/ },
  { args: ['--metrics-address=8080'], problem: /--metrics-address: must be .* or empty, got '8080'/ },
  { args: ['--network=unix'], problem: "--network: must be tcp, got 'unix'" },
  { args: ['--max-recv-message-size=0'], problem: /--max-recv-message-size: must be a whole number of megabytes from 1 to 1024, got '0'/ },
  { args: ['--max-recv-message-size=4MB'], problem: /got '4MB'/ },
  { args: ['--max-recv-message-size=1e3'], problem: /got '1e3'/ },
])('$args: $problem', ({ args, problem }) => {
  const expected = typeof problem === 'string' ? problem : expect.stringMatching(problem)
  expect(parseOptions(args, {})).toEqual({ do: 'refuse', problem: expected })
})

test('--help and --version override all other flags', () => {
  expect(parseOptions(['--address=nonsense', '--help'], {})).toEqual({ do: 'print-help' })
  expect(parseOptions(['-h'], {})).toEqual({ do: 'print-help' })
  expect(parseOptions(['--version'], {})).toEqual({ do: 'print-version' })
})
