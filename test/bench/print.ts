// The figures as tables for people.
import type { Measured } from './process.ts'

export const rowOf = ({ callsPerSecond, p50Ms, p99Ms, cpuMsPerCall, clientCpuMsPerCall, rssMegabytes }: Measured) => ({
  'calls/s': Math.round(callsPerSecond),
  'p50 ms': p50Ms.toFixed(2),
  'p99 ms': p99Ms.toFixed(2),
  'CPU ms a call': cpuMsPerCall.toFixed(3),
  "the client's": clientCpuMsPerCall.toFixed(3),
  'RSS MB': Math.round(rssMegabytes),
})
