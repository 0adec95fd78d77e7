// package/runtime/network against what it is about: the function's pods, their ports, and Crossplane as its chart labels it.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { parseOptions } from '../../src/function/options.ts'
import { at } from '../../src/kubernetes/json.ts'
import { root } from '../fixtures/claim-files.ts'

const read = (file: string) => readFileSync(root + file, 'utf8')
const { metadata, spec } = parse(read('package/runtime/network/network-policy.yaml'))

test('is about the pods of the function, where they are', () => {
  const [config, budget] = parseAllDocuments(read('package/runtime/function.yaml')).map(document => document.toJS())
  expect(at(config, 'spec', 'deploymentTemplate', 'spec', 'template', 'metadata', 'labels')).toEqual(spec.podSelector.matchLabels)
  expect(metadata.namespace).toBe(at(budget, 'metadata', 'namespace'))
})

test('lets Crossplane call and somebody scrape, and nothing out', () => {
  const command = parseOptions(['--insecure'], {})
  if (command.do !== 'serve') throw new Error('does not serve')
  const { address, metricsAddress } = command.options
  const ports = spec.ingress.map((rule: { ports: unknown }) => rule.ports)
  expect(ports).toEqual([address, metricsAddress].map(one => [{ protocol: 'TCP', port: one?.port }]))
  expect(spec.ingress[0].from).toEqual([{ podSelector: { matchLabels: { app: 'crossplane' } } }])
  expect(spec.policyTypes).toEqual(['Ingress', 'Egress'])
  expect(spec.egress).toEqual([])
})
