import { expect, test } from 'vitest'
import { applyLocally } from '../../../src/cli/diff/local-apply.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { MANAGER } from './live-objects.ts'

interface Case {
  readonly title: string
  readonly live: JsonObject
  readonly own: JsonObject
  readonly others?: JsonObject
  readonly wanted: JsonObject
  readonly becomes: JsonObject
  readonly apiVersion?: string
}

const container = (name: string, more: JsonObject = {}) => ({ name, ...more })
const main = { 'k:{"name":"main"}': { '.': {}, 'f:name': {}, 'f:image': {} } }

const cases: readonly Case[] = [
  {
    title: 'sets a field, and leaves one that nobody applies',
    live: { image: 'a', dnsPolicy: 'ClusterFirst' },
    own: { 'f:image': {} },
    wanted: { image: 'b', port: 80 },
    becomes: { image: 'b', dnsPolicy: 'ClusterFirst', port: 80 },
  },
  {
    title: 'removes a field that is no longer applied',
    live: { a: 1, b: 2 },
    own: { 'f:a': {}, 'f:b': {} },
    wanted: { a: 1 },
    becomes: { a: 1 },
  },
  {
    title: 'leaves a field that another manager owns, too',
    live: { a: 1, b: 2 },
    own: { 'f:a': {}, 'f:b': {} },
    others: { 'f:b': {} },
    wanted: { a: 1 },
    becomes: { a: 1, b: 2 },
  },
  {
    title: 'leaves the fields of others in an object that is no longer applied',
    live: { limits: { cpu: '1', memory: '1Gi' } },
    own: { 'f:limits': { 'f:cpu': {} } },
    wanted: {},
    becomes: { limits: { memory: '1Gi' } },
  },
  {
    title: 'removes an object of which nothing is left',
    live: { limits: { cpu: '1' } },
    own: { 'f:limits': { 'f:cpu': {} } },
    wanted: {},
    becomes: {},
  },
  {
    title: 'merges a list by key: changes our entry, removes our old one, and leaves that of others',
    live: {
      containers: [container('proxy', { image: 'p' }), container('main', { image: 'a', tty: true }), container('old', { image: 'o' })],
    },
    own: { 'f:containers': { ...main, 'k:{"name":"old"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
    others: { 'f:containers': { 'k:{"name":"proxy"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
    wanted: { containers: [container('main', { image: 'b' })] },
    becomes: { containers: [container('proxy', { image: 'p' }), container('main', { image: 'b', tty: true })] },
  },
  {
    title: 'removes the last field of ours from an entry, and with it the entry',
    live: { containers: [container('main', { image: 'a' }), container('side', { image: 's' })] },
    own: { 'f:containers': { ...main, 'k:{"name":"side"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
    wanted: { containers: [container('main', { image: 'a' })] },
    becomes: { containers: [container('main', { image: 'a' })] },
  },
  {
    title: 'keeps an entry of which another manager owns a field',
    live: { containers: [container('main', { image: 'a' }), container('side', { image: 's', tty: true })] },
    own: { 'f:containers': { ...main, 'k:{"name":"side"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
    others: { 'f:containers': { 'k:{"name":"side"}': { 'f:tty': {} } } },
    wanted: { containers: [container('main', { image: 'a' })] },
    becomes: { containers: [container('main', { image: 'a' }), container('side', { tty: true })] },
  },
  {
    title: 'puts new and old entries into our order',
    live: {
      env: [
        { name: 'A', value: '1' },
        { name: 'THEIRS', value: '0' },
        { name: 'B', value: '2' },
      ],
    },
    own: { 'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:value': {} }, 'k:{"name":"B"}': { '.': {}, 'f:value': {} } } },
    others: { 'f:env': { 'k:{"name":"THEIRS"}': { '.': {}, 'f:value': {} } } },
    wanted: { env: ['B', 'C', 'A'].map(name => ({ name, value: '3' })) },
    becomes: { env: ['THEIRS', 'B', 'C', 'A'].map(name => ({ name, value: name === 'THEIRS' ? '0' : '3' })) },
  },
  {
    title: 'replaces a list without keys',
    live: { args: ['a', 'b'] },
    own: { 'f:args': {} },
    wanted: { args: ['c'] },
    becomes: { args: ['c'] },
  },
  {
    title: 'replaces every list of a CRD',
    apiVersion: 'serving.knative.dev/v1',
    live: { containers: [container('main', { image: 'a', tty: true })] },
    own: { 'f:containers': {} },
    wanted: { containers: [container('main', { image: 'b' })] },
    becomes: { containers: [container('main', { image: 'b' })] },
  },
]

const entry = (manager: string, operation: string, spec: JsonObject) => ({
  manager,
  operation,
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:spec': spec },
})

test.each(cases)('$title', ({ live, own, others = {}, wanted, becomes, apiVersion = 'apps/v1' }) => {
  const managedFields = [entry(MANAGER, 'Apply', own), entry('kubectl', 'Update', others)]
  const object = { apiVersion, kind: 'Deployment', metadata: { name: 'orders', uid: 'u', managedFields }, spec: live }
  const result = applyLocally({ apiVersion, kind: 'Deployment', metadata: { name: 'orders' }, spec: wanted }, object)
  expect(result).toEqual({ ...object, spec: becomes })
})
