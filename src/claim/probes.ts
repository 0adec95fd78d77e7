// Fills in the probe fields that a claim leaves out.

import { seconds } from './duration.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import type { Probe, Probes } from './resolved-claim.ts'

type ProbesSpec = NonNullable<EventDrivenServiceSpec['probes']>
type Handler = Pick<NonNullable<ProbesSpec['liveness']>, 'path' | 'exec' | 'tcp'>

/** The timing of a claim that says nothing about it, in seconds. */
const standard = {
  liveness: { initialDelay: 10, period: 10, timeout: 5, failures: 3 },
  readiness: { initialDelay: 5, period: 5, timeout: 3, failures: 2 },
  startup: { initialDelay: 0, period: 5, timeout: 5 },
} as const

/** `paths` answer for the probes that the claim does not mention. */
export function resolveProbes({ liveness, readiness, startup }: ProbesSpec, paths: { liveness: string; readiness: string }): Probes {
  const own = (name: 'liveness' | 'readiness', asked: ProbesSpec[typeof name]): { [probe in typeof name]?: Probe } => {
    const handler = handlerOf(asked ?? { path: paths[name] })
    if (handler === undefined) return {}
    const { period, failures } = asked ?? {}
    return {
      [name]: { handler, ...standard[name], ...(period && { period: seconds(period) }), ...(failures !== undefined && { failures }) },
    }
  }
  const starts = startup && handlerOf(startup)
  return {
    ...(startup &&
      starts && {
        startup: { handler: starts, ...standard.startup, failures: Math.ceil(seconds(startup.within) / standard.startup.period) },
      }),
    ...own('liveness', liveness),
    ...own('readiness', readiness),
  }
}

const handlerOf = ({ path, exec, tcp }: Handler): Probe['handler'] | undefined =>
  path !== undefined ? { path } : exec !== undefined ? { exec } : tcp !== undefined ? { tcp } : undefined
