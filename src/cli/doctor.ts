import { command } from './command.ts'
import { type Api, connectApi } from './doctor/api.ts'
import { readOperands } from './doctor/claims.ts'
import { examine } from './doctor/examine.ts'
import { findConnection } from './doctor/kubeconfig.ts'
import { printChecks, printTable, summary } from './doctor/print.ts'
import type { Io } from './io.ts'
import { fail } from './stderr.ts'

export const doctor = command({
  name: 'doctor',
  summary: 'Report what a cluster lacks for claims to work, and the command that fixes it.',
  operands: '[NAMESPACE/NAME|NAME|FILE]...',
  details:
    'Checks Crossplane, the packages, the permissions of Crossplane, KEDA and NATS, and changes nothing. For claims from the cluster\n' +
    'or from files (NAME.yaml, DIR/, -), also checks their stream and consumer, their secrets and ConfigMaps (names and keys, not\n' +
    'values), their pods, their PriorityClass, and Knative if a claim needs it.\n' +
    'Exit codes: 0 no problems, 1 problems found, 2 could not run, for example because the cluster is unreachable.',
  examples: ['eds doctor', 'eds doctor shop/orders-worker', 'eds doctor claims/orders-worker.yaml --context production -o json'],
  options: {
    output: { type: 'string', short: 'o', choices: ['text', 'json'], description: 'output format; default: text' },
    kubeconfig: { type: 'string', value: 'FILE', description: 'kubeconfig to use; default: $KUBECONFIG, else ~/.kube/config' },
    context: { type: 'string', value: 'NAME', description: 'context to use; default: the current context of the kubeconfig' },
    namespace: {
      type: 'string',
      short: 'n',
      value: 'NAMESPACE',
      description: "namespace of claims that name none; default: the context's",
    },
  },
  async run({ values, operands }, io) {
    const connection = await findConnection({ kubeconfig: values.kubeconfig, context: values.context, env: process.env })
    if ('problem' in connection) return fail('eds doctor', connection.problem)
    const claims = await readOperands(operands, values.namespace ?? connection.namespace, io)
    if (claims.named.length + claims.written.length === 0 && operands.length > 0)
      return fail('eds doctor', 'the given files contain no EventDrivenService')
    const api = connectApi(connection)
    const clear = showProgress(io, `checking ${connection.server.host} …`)
    try {
      const problem = await connectionProblem(api)
      if (problem !== undefined) {
        clear()
        return fail('eds doctor', `the cluster of context '${connection.context}' (${connection.server.origin}) ${problem}`)
      }
      const checks = await examine(api, claims)
      clear()
      io.stdout.write(values.output === 'json' ? printChecks(checks) : printTable(checks, io.stdout))
      io.stderr.write(summary(checks))
      return checks.some(({ state }) => state === 'wrong') ? 1 : 0
    } finally {
      api.close()
    }
  },
})

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

/** Shows a line on a terminal, and returns the function that erases it. */
function showProgress({ stderr }: Io, text: string): () => void {
  if (!stderr.isTerminal) return () => {}
  stderr.write(text)
  return () => stderr.write('\r\u001B[K')
}
