import { describe, expect, test } from 'vitest'
import { cpuMsIn, megabytesIn } from './proc.ts'

describe('/proc/<pid>/stat', () => {
  const stat = (name: string) =>
    `4711 (${name}) S 1 4711 4711 0 -1 4194304 100 0 0 0 250 50 7 9 20 0 11 0 100 1000 200 18446744073709551615`

  test.each(['node', 'a b', ':-) (x', ')'])('adds user and system time of a process called %j', name => {
    expect(cpuMsIn(stat(name))).toBe(3000)
  })
})

describe('/proc/<pid>/status', () => {
  const status = 'Name:\tnode\nVmPeak:\t 9999999 kB\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\nRssAnon:\t 1 kB\n'

  test('reads the resident memory', () => expect(megabytesIn(status, 'VmRSS')).toBe(100))
  test('reads the peak of the resident memory', () => expect(megabytesIn(status, 'VmHWM')).toBe(200))
  test('returns NaN for a missing line', () => expect(megabytesIn('Name:\tzombie\n', 'VmRSS')).toBeNaN())
})
