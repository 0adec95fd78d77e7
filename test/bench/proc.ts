// Reads CPU time and memory of a process: https://man7.org/linux/man-pages/man5/proc.5.html
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** The machine that the figures depend on. */
export const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }

// USER_HZ, the unit of the times in /proc on every Linux.
const TICKS_PER_SECOND = 100

/** User and system time from /proc/<pid>/stat. The process chooses its name, which may contain any character. */
export function cpuMsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000
}

/** VmRSS is the resident memory now, VmHWM its peak. */
export function megabytesIn(status: string, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024
}

export const cpuMs = (pid: number): number => cpuMsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))

export const megabytes = (pid: number, field: 'VmRSS' | 'VmHWM'): number => megabytesIn(readFileSync(`/proc/${pid}/status`, 'utf8'), field)
