// A NATS server with TLS, client certificates and JWT credentials. KWOK's pods run nothing, so a client of this process logs in with
// the variables and files that the pod would have.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { issueCertificate } from '../../../../scripts/certificates.ts'
import { at, items, type JsonObject } from '../../../../src/kubernetes/json.ts'
import {
  becomes,
  type ClaimManifest,
  createNamespace,
  deleteClaim,
  deploymentOf,
  ready,
  scaledObjectOf,
  scaledTo,
  worker,
} from '../claim.ts'
import { type NatsServer, startSecureNats } from '../cluster.ts'
import { connectNats, type Login, type Nats } from '../nats.ts'
import { createAccounts } from '../nats-accounts.ts'
import { ownPlatform } from './platform.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'secure-workers'
const SERVER_NAMESPACE = 'secure'
const STREAM = 'SECRETS'
const platform = ownPlatform('secure')
const PER_REPLICA = 5

const secureWorker = (name: string, server: string): ClaimManifest =>
  worker(NAMESPACE, name, STREAM, {
    ...platform.choice,
    nats: {
      ...{ stream: STREAM, consumer: name, server },
      credentials: { secret: 'worker-credentials', key: 'worker.creds' },
      tls: { secret: 'worker-tls' },
    },
  })
const secure = secureWorker('secure', 'main')
const unencrypted = secureWorker('unencrypted', 'unencrypted')

interface PodFiles {
  readonly variables: Readonly<Record<string, string>>
  /** The content of each mounted file by its path. */
  readonly files: Readonly<Record<string, string>>
}

/** The variables and mounted files of the Deployment's pods. */
async function podFilesOf({ cluster: { api } }: Setting, claim: ClaimManifest): Promise<PodFiles> {
  const pod = at((await api.get(deploymentOf(claim))).spec, 'template', 'spec')
  const variables = items(at(pod, 'containers', '0', 'env')).map(one => [String(at(one, 'name')), String(at(one, 'value'))])
  const files: Record<string, string> = {}
  for (const mount of items(at(pod, 'containers', '0', 'volumeMounts'))) {
    const volume = items(at(pod, 'volumes')).find(one => at(one, 'name') === at(mount, 'name'))
    for (const source of items(at(volume, 'projected', 'sources'))) {
      const name = String(at(source, 'secret', 'name'))
      const { data } = await api.get({ apiVersion: 'v1', kind: 'Secret', namespace: claim.metadata.namespace, name })
      for (const item of items(at(source, 'secret', 'items')))
        files[`${at(mount, 'mountPath')}/${at(item, 'path')}`] = Buffer.from(String(at(data, String(at(item, 'key')))), 'base64').toString()
    }
  }
  return { variables: Object.fromEntries(variables), files }
}

/** What a worker reads from its variables. */
function loginOf({ variables, files }: PodFiles): Required<Login> {
  const file = (variable: string): string => {
    const content = files[variables[variable] ?? '']
    if (content === undefined) throw new Error(`${variable} names ${variables[variable]}, but the pod has only ${Object.keys(files)}`)
    return content
  }
  return {
    host: new URL(variables.NATS_URL ?? '').hostname,
    ca: file('NATS_CA'),
    certificate: file('NATS_CERT'),
    key: file('NATS_KEY'),
    credentials: file('NATS_CREDS'),
  }
}

export function readsSecureNats(given: () => Setting): void {
  describe('a NATS server with TLS, client certificates and credentials', () => {
    const accounts = createAccounts('SHOP')
    let server: NatsServer
    let nats: Nats

    beforeAll(async () => {
      const { cluster } = given()
      const { authority, api } = cluster
      await createNamespace(cluster, NAMESPACE)
      server = await startSecureNats(cluster, SERVER_NAMESPACE, accounts)
      const client = issueCertificate(authority, { commonName: 'worker', usages: ['client'] })
      const files = { 'ca.crt': authority.certificate, 'tls.crt': client.certificate, 'tls.key': client.key }
      const secret = (name: string, stringData: JsonObject) =>
        api.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, stringData })
      await secret('worker-credentials', { 'worker.creds': accounts.credentials })
      await secret('worker-tls', files)
      const login = { ca: authority.certificate, ...client, credentials: accounts.credentials }
      nats = await cluster.until('NATS', () => connectNats(server.port, { host: `nats.${SERVER_NAMESPACE}.svc`, ...login }))
      await nats.createStream(STREAM)
      const main = {
        url: `tls://nats.${SERVER_NAMESPACE}.svc:4222`,
        monitoringEndpoint: `nats-headless.${SERVER_NAMESPACE}.svc:8222`,
        account: 'SHOP',
        accountID: accounts.account,
      }
      await platform.create(given(), { natsServers: { main: { ...main, useHttps: true }, unencrypted: main } })
      for (const claim of [secure, unencrypted]) {
        await nats.createConsumer(STREAM, claim.metadata.name)
        await api.apply(claim)
      }
    })
    afterAll(async () => {
      const { cluster } = given()
      for (const claim of [secure, unencrypted]) await deleteClaim(cluster, claim)
      await platform.remove(given())
      nats.close()
    })

    test('KEDA reads the lag over HTTPS and scales', async () => {
      const { cluster } = given()
      await ready(cluster, secure)
      const { spec } = await cluster.api.get(scaledObjectOf(secure))
      expect(at(spec, 'triggers', '0', 'metadata')).toMatchObject({ useHttps: 'true', account: 'SHOP', accountID: accounts.account })
      await nats.fill(STREAM, 3 * PER_REPLICA)
      await scaledTo(cluster, secure, 3)
      while ((await nats.lag(STREAM, secure.metadata.name)) > 0) await nats.take(STREAM, secure.metadata.name, 1_000)
      await scaledTo(cluster, secure, 1)
    })

    test('without useHttps the claim reports that KEDA cannot read the lag', async () => {
      const { message } = await becomes(given().cluster, unencrypted, 'ScalingReady', 'False', 'TriggerError')
      expect(message).toContain(`nats-headless.${SERVER_NAMESPACE}.svc:8222 is the monitoring endpoint of the NATS server`)
    })

    test('the pod has what a client needs to log in and consume', async () => {
      await nats.fill(STREAM, 1)
      const client = await connectNats(server.port, loginOf(await podFilesOf(given(), secure)))
      expect(await client.take(STREAM, secure.metadata.name, 1)).toBe(1)
      client.close()
    })

    test.each([
      { without: ['credentials'], refusal: 'Authorization Violation' },
      { without: ['certificate', 'key'], refusal: 'bad certificate' },
      { without: ['ca'], refusal: 'unable to verify the first certificate' },
    ])('a client without $without is refused', async ({ without, refusal }) => {
      const login = Object.entries(loginOf(await podFilesOf(given(), secure)))
      const rest = Object.fromEntries(login.filter(([name]) => !without.includes(name)))
      await expect(connectNats(server.port, { host: '', ...rest })).rejects.toThrow(refusal)
    })
  })
}
