import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { drawPage, type Scale } from '../../tools/scale-page.ts'
import { root } from '../fixtures/claim-files.ts'

const read = (name: string) => readFileSync(`${root}docs/${name}`, 'utf8')

test('docs/scale.md shows the numbers of docs/scale.json', () => {
  expect(read('scale.md')).toBe(drawPage(JSON.parse(read('scale.json'))))
})

test('the page has a column for each function and extrapolates to 10,000 claims', () => {
  const cpuSeconds = { function: 1, etcd: 5, 'kube-apiserver': 30 }
  const busy = { seconds: 60, calls: 200, cpuSeconds, residentMegabytes: { function: 90, etcd: 50, 'kube-apiserver': 700 } }
  const rest = { ...busy, calls: 3, cpuSeconds: { function: 0.006, etcd: 3, 'kube-apiserver': 12 } }
  const empty = { ...rest, calls: 0, cpuSeconds: { function: 0.4, etcd: 2, 'kube-apiserver': 6 } }
  const contender = (name: string) => ({ name, empty, start: { seconds: 40, calls: 600, cpuSeconds }, rest, busy })
  const scale: Scale = {
    date: '2026-01-02',
    machine: 'a machine',
    versions: 'versions',
    claims: 100,
    contenders: [contender('ours'), contender('theirs')],
  }
  const rows = drawPage(scale)
    .split('\n')
    .filter(line => line.startsWith('| '))
  expect(rows).toEqual([
    '|  | ours | theirs |',
    '| --- | ---: | ---: |',
    '| seconds until the last claim is ready | 40.0 | 40.0 |',
    '| calls of the function | 600 | 600 |',
    '| calls for each claim | 6.00 | 6.00 |',
    '| component | ours | theirs |',
    '| --- | ---: | ---: |',
    '| function | 1.00 | 1.00 |',
    '| etcd | 5.00 | 5.00 |',
    '| kube-apiserver | 30.0 | 30.0 |',
    '|  | ours | theirs |',
    '| --- | ---: | ---: |',
    '| calls of the function a second | 0.050 | 0.050 |',
    '| component | ours: CPU | MB | theirs: CPU | MB |',
    '| --- | ---: | ---: | ---: | ---: |',
    '| function | 0.010 | 90.0 | 0.010 | 90.0 |',
    '| etcd | 5.00 | 50.0 | 5.00 | 50.0 |',
    '| kube-apiserver | 20.0 | 700 | 20.0 | 700 |',
    '|  | ours | theirs |',
    '| --- | ---: | ---: |',
    '| calls of the function a second | 3.33 | 3.33 |',
    '| calls for each claim and minute | 2.00 | 2.00 |',
    '| CPU of the function for each call, in ms | 3.00 | 3.00 |',
    '| component | ours: CPU | MB | theirs: CPU | MB |',
    '| --- | ---: | ---: | ---: | ---: |',
    '| function | 1.67 | 90.0 | 1.67 | 90.0 |',
    '| etcd | 8.33 | 50.0 | 8.33 | 50.0 |',
    '| kube-apiserver | 50.0 | 700 | 50.0 | 700 |',
    '|  | ours | theirs |',
    '| --- | ---: | ---: |',
    '| calls of the function a second | 333 | 333 |',
    '| cores for function | 1.01 | 1.01 |',
    '| cores for etcd | 5.03 | 5.03 |',
    '| cores for kube-apiserver | 40.1 | 40.1 |',
  ])
  expect(drawPage(scale)).toContain('The bottleneck is kube-apiserver, with 40.0 times the CPU of the function.')
})
