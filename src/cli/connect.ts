// The connection to a cluster, for every command that asks one.
import { type Api, connectApi } from './doctor/api.ts'
import { type Connection, findConnection } from './doctor/kubeconfig.ts'
import type { Io } from './io.ts'
import { fail } from './stderr.ts'

export const clusterOptions = {
  kubeconfig: { type: 'string', value: 'FILE', description: 'kubeconfig to use; default: $KUBECONFIG, else ~/.kube/config' },
  context: { type: 'string', value: 'NAME', description: 'context to use; default: the current context of the kubeconfig' },
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAMESPACE',
    description: "namespace of claims that name none; default: the context's",
  },
} as const

export interface ClusterValues {
  readonly kubeconfig?: string
  readonly context?: string
  readonly namespace?: string
}

export interface Connected extends Connection {
  readonly api: Api
  /** Ends the command if the API server cannot be queried. */
  readonly check: () => Promise<void>
}

/** Reads the kubeconfig, and closes the connection after use. */
export async function withCluster<T>(command: string, values: ClusterValues, use: (connected: Connected) => Promise<T>): Promise<T> {
  const found = await findConnection({ kubeconfig: values.kubeconfig, context: values.context, env: process.env })
  if ('problem' in found) return fail(`eds ${command}`, found.problem)
  const connection = { ...found, namespace: values.namespace ?? found.namespace }
  const api = connectApi(connection)
  const check = async () => {
    const problem = await connectionProblem(api)
    if (problem !== undefined)
      fail(`eds ${command}`, `the cluster of context '${connection.context}' (${connection.server.origin}) ${problem}`)
  }
  try {
    return await use({ ...connection, api, check })
  } finally {
    api.close()
  }
}

/** Why the API server cannot be queried; undefined if it can. */
async function connectionProblem(api: Api): Promise<string | undefined> {
  // Most clusters serve /version without credentials, so only the second path checks them.
  for (const path of ['/version', '/api/v1']) {
    const answer = await api.get(path)
    if (answer.ok || answer.status === 403) continue
    if (answer.status === undefined) return `cannot be reached: ${answer.reason}`
    if (answer.status === 401) return `rejects the credentials in the kubeconfig: ${answer.reason}`
    return `does not answer like an API server: ${answer.reason}`
  }
  return undefined
}

/** Shows a line on a terminal while `work` runs, and erases it. */
export async function showingProgress<T>({ stderr }: Io, text: string, work: () => Promise<T>): Promise<T> {
  if (!stderr.isTerminal) return work()
  stderr.write(text)
  try {
    return await work()
  } finally {
    stderr.write('\r\u001B[K')
  }
}
