// Every example with runtime Deployment becomes ready, equals the output of eds render, and does not change afterwards.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at } from '../../../../src/kubernetes/json.ts'
import { composedOf, referredObjects } from '../../../../tools/apply.ts'
import { root } from '../../../fixtures/claim-files.ts'
import { createNamespace, deleteClaim, referenceOf } from '../claim.ts'
import { documentedCommands, runDocumented } from '../install.ts'
import { examplesThat, lacking } from './composed.ts'
import { staysQuiet } from './quiet.ts'
import type { Setting } from './setting.ts'

const examples = examplesThat(({ spec }) => spec.runtime !== 'Knative' && spec.eventing === undefined)
const MAIN = 'examples/minimal-claim.yaml'

export function examplesAreReady(given: () => Setting): void {
  describe('every example with runtime Deployment', () => {
    beforeAll(async () => {
      const { cluster, nats, messaging } = given()
      for (const namespace of new Set(examples.map(({ claim }) => claim.metadata.namespace))) await createNamespace(cluster, namespace)
      for (const { claim } of examples) {
        for (const object of referredObjects(claim)) await cluster.api.apply(object)
        const { stream, consumer, account } = claim.spec.nats as { stream: string; consumer: string; account?: string }
        const server = account === 'SUPPORT' ? messaging : nats
        await server.createStream(stream)
        await server.createConsumer(stream, consumer)
      }
    })

    test('is applied with kubectl', async () => {
      const { cluster, flavour } = given()
      // The first with the command of the docs; its namespace exists already.
      const [, , first] = documentedCommands(flavour)
      await runDocumented(cluster, first.replace(/kubectl create namespace \S+ && /, ''))
      for (const { file } of examples) await cluster.kubectl(['apply', '-f', join(root, file)])
    })

    test.each(examples.map(({ file, claim }) => ({ file, claim })))('$file becomes ready', async ({ claim }) => {
      const { cluster } = given()
      const live = await cluster.until('every condition is true', async () => {
        const live = await cluster.api.get(referenceOf(claim))
        for (const type of ['Synced', 'Ready', 'WorkloadReady', 'ScalingReady'])
          expect(observedCondition(live, type)).toMatchObject({ status: 'True' })
        return live
      })
      const minimum = composedOf(claim).find(({ kind }) => kind === 'ScaledObject')
      expect(live.status).toMatchObject({
        workload: { kind: 'Deployment', name: claim.metadata.name, image: claim.spec.image as string },
        autoscaler: { kind: 'ScaledObject', minReplicas: at(minimum, 'spec', 'minReplicaCount') as number },
      })
    })

    test.each(examples.map(({ file, claim }) => ({ file, claim })))('$file keeps every composed field', async ({ claim }) => {
      const { cluster } = given()
      expect(await lacking(cluster, claim)).toEqual([])
    })

    test('kubectl get prints the additional columns', async () => {
      const { cluster, flavour } = given()
      const printed = await cluster.kubectl(['get', 'eventdrivenservices', '-A'])
      const [header = '', ...rows] = printed.trimEnd().split('\n')
      const connection = flavour === 'claims' ? ['CONNECTION-SECRET'] : []
      const own = ['RUNTIME', 'SIZE', 'REPLICAS', 'WORKLOAD', 'SCALING', 'URL']
      const state = ['SYNCED', 'READY']
      expect(header.split(/\s+/).sort()).toEqual(
        ['NAMESPACE', 'NAME', ...own, ...state, ...(flavour === 'claims' ? connection : ['COMPOSITION']), 'AGE'].sort(),
      )
      for (const { claim } of examples) {
        const row = rows.find(row => row.startsWith(`${claim.metadata.namespace} `) && row.includes(` ${claim.metadata.name} `))
        expect(row).toMatch(/ Deployment +(micro|small|medium|large) +\d+ .*True +True/)
      }
      const wide = await cluster.kubectl(['get', 'eds', '-A', '-o', 'wide'])
      expect(wide).toMatch(/IMAGE/)
      expect(wide).toContain('ghcr.io/acme/assistant:2.7.0')
    })
  })
}

// Claims that KEDA may scale to zero meanwhile.
const asleep = examples.filter(({ claim }) => at(claim.spec, 'scaling', 'minReplicas') === 0).map(({ claim }) => claim.metadata.name)

export function examplesAreQuiet(
  given: () => Setting,
  seconds: number,
  { between = () => undefined, isNative = true }: { readonly between?: () => void; readonly isNative?: boolean } = {},
): void {
  describe('once ready', () => {
    staysQuiet(given, { claims: examples.map(({ claim }) => claim), asleep, seconds, isComparedWithFile: isNative }, between)
    afterAll(async () => {
      const { cluster } = given()
      for (const { file, claim } of examples) if (file !== MAIN) await deleteClaim(cluster, claim)
    })
  })
}
