import { expect, test } from 'vitest'
import { obstacle } from '../e2e/node/requirements.ts'

test.for([
  ['macOS', { platform: 'darwin' }, /^a real node needs Linux; .*npm run sandbox/],
  ['a user without root', { isRoot: false }, /^a real node needs root, .*npm run sandbox/],
  [
    'missing programs',
    { path: '/nowhere' },
    /apt-get install .*containerd runc nftables iptables ipset .*busybox-static iproute2 util-linux mount/,
  ],
] as const)('names the obstacle in one line: %s', ([, machine, expected]) => {
  const text = obstacle({ platform: 'linux', isRoot: true, path: '/usr/bin', ...machine })
  expect(text).toMatch(expected)
  expect(text).not.toContain('\n')
})
