// npm run demo: sends a claim to the real function like Crossplane, with mutual TLS on loopback.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  Capability,
  FunctionRunnerServiceService,
  RunFunctionRequest,
  type RunFunctionResponse,
  Severity,
} from '@crossplane-org/function-sdk-typescript'
import { Client, credentials } from '@grpc/grpc-js'
import { parse } from 'yaml'
import { painter } from '../src/cli/print/color.ts'
import { printYaml } from '../src/cli/print/manifests.ts'
import { printTree } from '../src/cli/print/tree.ts'
import { at, isObject, type JsonObject } from '../src/kubernetes/json.ts'
import { createAuthority, type Identity, issueCertificate, serverNames } from './certificates.ts'

const CLAIM = 'examples/full-claim.yaml'
const FUNCTION = 'function-event-driven-service'

/** The cluster-scoped composite that Crossplane creates for a claim, with its own name and a reference to the claim. */
function compositeOf(claim: JsonObject): JsonObject {
  const { name, namespace } = claim.metadata as { name: string; namespace: string }
  const claimRef = { apiVersion: claim.apiVersion, kind: claim.kind, name, namespace }
  return {
    apiVersion: claim.apiVersion,
    kind: 'XEventDrivenService',
    metadata: { name: `${name}-x7k2p`, labels: { 'crossplane.io/claim-name': name, 'crossplane.io/claim-namespace': namespace } },
    spec: { ...(claim.spec as JsonObject), claimRef },
  }
}

function writeCertificates(folder: string, bundle: string, { certificate, key }: Identity): void {
  writeFileSync(join(folder, 'ca.crt'), bundle)
  writeFileSync(join(folder, 'tls.crt'), certificate)
  writeFileSync(join(folder, 'tls.key'), key)
}

async function listening(stderr: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: stderr })) {
    const { msg, port, reason } = JSON.parse(line) as { msg: string; port?: number; reason?: string }
    if (port !== undefined) {
      stderr.resume()
      return port
    }
    if (reason !== undefined) throw new Error(`${msg}: ${reason}`)
  }
  throw new Error('the function exited before it listened')
}

function call(port: number, { certificate, key }: Identity, request: RunFunctionRequest): Promise<RunFunctionResponse> {
  // Crossplane's server certificates have the subject of their CA, which Node treats as self-signed.
  const channel = credentials.createSsl(null, Buffer.from(key), Buffer.from(certificate), { rejectUnauthorized: false })
  const client = new Client(`127.0.0.1:${port}`, channel, { 'grpc.ssl_target_name_override': FUNCTION })
  const { path, requestSerialize, responseDeserialize } = FunctionRunnerServiceService.runFunction
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
      client.close()
      if (response === undefined) reject(error)
      else resolve(response)
    })
  })
}

const claim = parse(readFileSync(CLAIM, 'utf8')) as JsonObject
const folder = mkdtempSync(join(tmpdir(), 'demo-'))
const authority = createAuthority()
const dnsNames = serverNames(FUNCTION)
writeCertificates(folder, authority.certificate, issueCertificate(authority, { usages: ['server'], dnsNames }))
const child = spawn(
  process.execPath,
  ['dist/function.js', '--address', '127.0.0.1:0', '--metrics-address', '', '--tls-certs-dir', folder],
  {
    stdio: ['ignore', 'ignore', 'pipe'],
  },
)
try {
  const port = await listening(child.stderr)
  console.log(`The function listens on 127.0.0.1:${port} with mutual TLS. Sending ${CLAIM} like Crossplane.\n`)
  const request = RunFunctionRequest.fromPartial({
    // Without the capability for required resources, because there is no cluster that could report name conflicts.
    meta: { tag: 'demo', capabilities: [Capability.CAPABILITY_CAPABILITIES] },
    observed: { composite: { resource: compositeOf(claim) } },
  })
  const began = performance.now()
  const response = await call(port, issueCertificate(authority, { usages: ['client'] }), request)
  const ms = performance.now() - began
  const fatal = response.results.find(({ severity }) => severity === Severity.SEVERITY_FATAL)
  if (fatal) throw new Error(fatal.message)

  const branches = Object.entries(response.desired?.resources ?? {}).flatMap(([key, { resource }]) =>
    isObject(resource) ? [{ key, manifest: resource }] : [],
  )
  const root = `EventDrivenService ${at(claim, 'metadata', 'namespace')}/${at(claim, 'metadata', 'name')}`
  const paint = painter({ color: process.stdout.isTTY === true && !process.env.NO_COLOR })
  console.log(printTree({ root, facts: `answered in ${ms.toFixed(0)} ms, including the handshake`, branches }, paint))
  console.log(printYaml(branches.map(({ manifest }) => manifest)))
} finally {
  child.kill('SIGTERM')
  await once(child, 'exit')
  rmSync(folder, { recursive: true })
}
