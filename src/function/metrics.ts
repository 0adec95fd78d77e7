import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import manifest from '../../package.json' with { type: 'json' }
import { type RejectionReason, rejectionReasons } from './client-certificate.ts'

/** ok: composed; refused: the claim or the input is invalid; error: the function failed, or the call ended without an answer. */
export type CallResult = 'ok' | 'refused' | 'error'
export type ClientRejection = RejectionReason | 'handshake'

// The steady call takes well under a millisecond.
const DURATION_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1]

export type Metrics = ReturnType<typeof createMetrics>

/** A registry of its own, so that two servers in one process do not share counts. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  const calls = new Counter({
    name: 'function_calls_total',
    help: 'RunFunction calls by result: ok, refused (the claim or the input is invalid), error (the function failed or the call was cut short).',
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
    help: 'Changes in the certificate folder by what became of them: taken up, or unusable (the old ones serve on).',
    labelNames: ['result'] as const,
    registers,
  })
  // Prometheus sees an increase only in a series that it knows already, so each begins at zero.
  for (const result of ['ok', 'refused', 'error'] satisfies CallResult[]) calls.inc({ result }, 0)
  for (const reason of [...rejectionReasons, 'handshake'] satisfies ClientRejection[]) refusedPeers.inc({ reason }, 0)
  for (const result of ['taken up', 'unusable']) certificateReloads.inc({ result }, 0)
  new Gauge({
    name: 'function_build_info',
    help: 'Always 1; the labels say what runs.',
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
      help: 'RunFunction calls that have begun to arrive and have not ended.',
      registers,
    }),
    refusedPeers,
    certificateReloads,
    certificatesUnusable: new Gauge({
      name: 'function_certificates_unusable',
      help: '1 while the certificate folder holds files that make no server and the ones taken up before serve on, else 0.',
      registers,
    }),
    // With a label, so that a plaintext server has no series that would read as 1970.
    certificateExpiry: new Gauge({
      name: 'function_certificate_expiry_timestamp_seconds',
      help: 'When the serving certificate, and the last CA that clients are judged by, stop being valid, in seconds since 1970.',
      labelNames: ['certificate'] as const,
      registers,
    }),
  }
}
