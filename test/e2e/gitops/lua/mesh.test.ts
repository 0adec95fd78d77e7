// Runs the health scripts of package/mesh in Argo CD's own Lua engine.
import { expect, test } from 'vitest'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import { healthScripts, judge } from '../scripts.ts'

const scripts = healthScripts('package/mesh/argo-cd/argocd-cm.yaml')

const message = (level: number | string, more: JsonObject = {}): JsonObject => ({
  level,
  type: { name: 'ReferencedResourceNotFound', code: 'IST0101' },
  ...more,
})

const states: readonly { says: string; metadata?: JsonObject; status?: JsonObject; health: string; message: RegExp }[] = [
  { says: 'without a status', health: 'Healthy', message: /^Istio uses it$/ },
  { says: 'without a message of the analysis', status: { observedGeneration: '1' }, health: 'Healthy', message: /^Istio uses it$/ },
  { says: 'with a warning', status: { validationMessages: [message('WARNING')] }, health: 'Healthy', message: /^Istio uses it$/ },
  {
    says: 'with an error after a warning',
    status: { validationMessages: [message('WARNING'), message('ERROR', { message: 'no such host' })] },
    health: 'Degraded',
    message: /^ReferencedResourceNotFound IST0101 no such host$/,
  },
  { says: 'with the level as a number', status: { validationMessages: [message(3)] }, health: 'Degraded', message: /IST0101/ },
  { says: 'with an error without a type', status: { validationMessages: [{ level: 'ERROR' }] }, health: 'Degraded', message: /^Error/ },
  { says: 'being deleted', metadata: { deletionTimestamp: '2026-11-27T06:05:52Z' }, health: 'Progressing', message: /deletion/ },
]

test.each(Object.keys(scripts).flatMap(kind => states.map(state => ({ kind, ...state }))))(
  '$kind $says is $health',
  async ({ kind: groupKind, metadata = {}, status, health, message }) => {
    const [group, kind = ''] = groupKind.split('/')
    const object = { apiVersion: `${group}/v1`, kind, metadata, ...(status && { status }) }
    expect(await judge([object], scripts)).toEqual([{ status: health, message: expect.stringMatching(message) }])
  },
)

test('there is a script for each kind of Istio that a claim becomes', () => expect(Object.keys(scripts).length).toBeGreaterThanOrEqual(9))
