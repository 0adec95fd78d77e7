import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import manifest from '../../package.json' with { type: 'json' }
import { type RejectionReason, rejectionReasons } from './client-certificate.ts'

/** ok: composed; refused: the claim or the input is invalid; error: the function failed, or the call ended without an answer. */
export type CallResult = 'ok' | 'refused' | 'error'
export type ClientRejection = RejectionReason | 'handshake'

// A call that changes nothing takes well under a millisecond.
const DURATION_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1]

export type Metrics = ReturnType<typeof createMetrics>

/** Each server has its own registry, so that two servers in one process do not share counts. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  const calls = new Counter({
    name: 'function_calls_total',
    help: 'RunFunction calls by result: ok, refused (the claim or the input is invalid), error (the function failed or the call ended without an answer).',
    labelNames: ['result'] as const,
    registers,
  })
  const refusedPeers = new Counter({
    name: 'function_refused_peers_total',
    help: 'Connections that were closed before HTTP/2, by reason.',
    labelNames: ['reason'] as const,
    registers,
  })
  const certificateReloads = new Counter({
    name: 'function_certificate_reloads_total',
    help: 'Changes of the certificate files by result: taken up, or unusable (the previous certificates stay in use).',
    labelNames: ['result'] as const,
    registers,
  })
  // Prometheus sees an increase only in a series that already exists, so each starts at zero.
  for (const result of ['ok', 'refused', 'error'] satisfies CallResult[]) calls.inc({ result }, 0)
  for (const reason of [...rejectionReasons, 'handshake'] satisfies ClientRejection[]) refusedPeers.inc({ reason }, 0)
  for (const result of ['taken up', 'unusable']) certificateReloads.inc({ result }, 0)
  new Gauge({
    name: 'function_build_info',
    help: 'Always 1; the labels are the versions of the function and of Node.js.',
    labelNames: ['version', 'node'] as const,
    registers,
  }).set({ version: manifest.version, node: process.versions.node }, 1)
  return {
    registry,
    calls,
    duration: new Histogram({
      name: 'function_call_duration_seconds',
      help: 'Time to decode, answer and encode one RunFunction call, without the network.',
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    }),
    inFlight: new Gauge({
      name: 'function_calls_in_flight',
      help: 'RunFunction calls that have started and not ended.',
      registers,
    }),
    refusedPeers,
    certificateReloads,
    certificatesUnusable: new Gauge({
      name: 'function_certificates_unusable',
      help: '1 while the certificate files are unusable and the previous certificates stay in use, otherwise 0.',
      registers,
    }),
    // The label keeps a plaintext server from exporting a series with the value 0, which would mean 1970.
    certificateExpiry: new Gauge({
      name: 'function_certificate_expiry_timestamp_seconds',
      help: 'Expiry of the server certificate and of the client CA that expires last, in seconds since 1970.',
      labelNames: ['certificate'] as const,
      registers,
    }),
  }
}
