import { expect, test } from 'vitest'
import { matchSize } from '../../src/convert/size.ts'
import { sizes } from '../../src/platform/defaults.ts'

const resources = (cpuLimit?: string) => ({
  requests: { cpu: '100m', memory: '256Mi' },
  limits: { ...(cpuLimit !== undefined && { cpu: cpuLimit }), memory: '1Gi' },
})
const unlimited = resources()

test.each([
  { says: 'the same resources', given: resources('500m'), own: {}, is: { size: 'micro', exact: true } },
  { says: 'a manifest without the CPU limit of the size', given: unlimited, own: {}, is: { size: 'micro', exact: false } },
  { says: 'neither with a CPU limit', given: unlimited, own: { free: unlimited }, is: { size: 'free', exact: true } },
  {
    says: 'a CPU limit, although a size without one is as near',
    given: resources('500m'),
    own: { free: unlimited },
    is: { size: 'micro', exact: true },
  },
  { says: 'no resources', given: {}, own: { free: unlimited }, is: undefined },
])('$says is $is', ({ given, own, is }) => expect(matchSize(given, { ...own, ...sizes })).toEqual(is))
