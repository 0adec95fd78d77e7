// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { at, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'

/** Certificate and key as PEM. */
export interface Credentials {
  readonly cert?: string
  readonly key?: string
  readonly token?: string
}

interface Environment {
  /** The folder of the kubeconfig. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cluster: JsonObject
}

// A plugin may open a browser and wait for a login.
const TIMEOUT_MS = 120_000

export async function runPlugin(plugin: JsonObject, { folder, env, cluster }: Environment): Promise<Credentials | { problem: string }> {
  const command = textOf(plugin.command ?? '')
  const args = items(plugin.args).map(String)
  const apiVersion = plugin.apiVersion ?? 'client.authentication.k8s.io/v1'
  const spec = { interactive: false, ...(plugin.provideClusterInfo === true && { cluster }) }
  const own = items(plugin.env).map(variable => [textOf(at(variable, 'name')), textOf(at(variable, 'value'))])
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec })
  // As in kubectl, a bare name is looked up in PATH, and a path is relative to the kubeconfig.
  const program = /[\\/]/.test(command) ? resolve(folder, command) : command
  const ran = await run(program, args, { ...env, ...Object.fromEntries(own), KUBERNETES_EXEC_INFO: info })
  if ('problem' in ran) {
    const hint = typeof plugin.installHint === 'string' ? ` ${plugin.installHint.trim()}` : ''
    return { problem: `the credential plugin '${command}' of the kubeconfig failed: ${ran.problem}${ran.isMissing ? hint : ''}` }
  }
  const [cert, key, token] = ['clientCertificateData', 'clientKeyData', 'token'].map(field => at(ran.output, 'status', field))
  if (typeof token !== 'string' && typeof cert !== 'string')
    return { problem: `the credential plugin '${command}' of the kubeconfig returned neither a token nor a certificate` }
  return {
    ...(typeof cert === 'string' && { cert }),
    ...(typeof key === 'string' && { key }),
    ...(typeof token === 'string' && { token }),
  }
}

type Ran = { readonly output: Json } | { readonly problem: string; readonly isMissing: boolean }

const run = (program: string, args: readonly string[], env: Environment['env']): Promise<Ran> =>
  new Promise(done => {
    const child = execFile(program, args, { env, timeout: TIMEOUT_MS, maxBuffer: 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null) {
        const isMissing = error.code === 'ENOENT'
        return done({ isMissing, problem: isMissing ? 'program not found.' : stderr.trim() || error.message })
      }
      try {
        done({ output: JSON.parse(stdout) })
      } catch {
        // Omits the output because it may contain part of a secret.
        done({ isMissing: false, problem: 'its output is not JSON' })
      }
    })
    child.stdin?.end()
  })
