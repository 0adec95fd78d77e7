// What Crossplane 1 needs besides the package of Crossplane 2.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { rolesOf } from '../../src/capabilities/index.ts'
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { root } from '../fixtures/claim-files.ts'

test('the provider has the permissions of every role', () => {
  const documents = parseAllDocuments(readFileSync(`${root}package/crossplane-1/provider.yaml`, 'utf8')).map(
    document => document.toJS() as JsonObject,
  )
  const bound = documents.filter(({ kind }) => kind === 'ClusterRoleBinding').map(binding => at(binding, 'roleRef', 'name'))
  expect(bound.sort()).toEqual(
    rolesOf()
      .map(({ name }) => `event-driven-service:${name}`)
      .sort(),
  )
})
