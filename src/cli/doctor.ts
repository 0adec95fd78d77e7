import { command } from './command.ts'
import { type Api, connectApi } from './doctor/api.ts'
import { readGiven } from './doctor/claims.ts'
import { examine } from './doctor/examine.ts'
import { findConnection } from './doctor/kubeconfig.ts'
import { printChecks, printTable, summary } from './doctor/print.ts'
import type { Io } from './io.ts'
import { fail } from './stderr.ts'

export const doctor = command({
  name: 'doctor',
  summary: 'Say what a cluster lacks for claims to work, and how to mend it.',
  operands: '[NAMESPACE/NAME|NAME|FILE]...',
  details:
    'Looks at Crossplane, the packages, what Crossplane may compose, KEDA and NATS, and changes nothing. With claims, of the cluster\n' +
    'or out of files (NAME.yaml, DIR/, -), also at their stream and consumer, their secrets (names and keys, no values),\n' +
    'their pods, and at Knative where they need it.\n' +
    'Exit codes: 0 nothing is wrong, 1 something is, 2 could not run, such as where the cluster is not reached.',
  examples: ['eds doctor', 'eds doctor shop/orders-worker', 'eds doctor claims/orders-worker.yaml --context production -o json'],
  options: {
    output: { type: 'string', short: 'o', choices: ['text', 'json'], says: 'how to print the checks; the default is text' },
    kubeconfig: { type: 'string', value: 'FILE', says: 'instead of $KUBECONFIG, else ~/.kube/config' },
    context: { type: 'string', value: 'NAME', says: "instead of the kubeconfig's current one" },
    namespace: { type: 'string', short: 'n', value: 'NAMESPACE', says: "for claims that name none; the default is the context's" },
  },
  async run({ values, operands }, io) {
    const connection = await findConnection({ kubeconfig: values.kubeconfig, context: values.context, env: process.env })
    if ('problem' in connection) return fail('eds doctor', connection.problem)
    const given = await readGiven(operands, values.namespace ?? connection.namespace, io)
    if (given.named.length + given.written.length === 0 && operands.length > 0)
      return fail('eds doctor', 'there is no claim in what was given')
    const api = connectApi(connection)
    const clear = showProgress(io, `asking ${connection.server.host} …`)
    try {
      const problem = await connectionProblem(api)
      if (problem !== undefined) {
        clear()
        return fail('eds doctor', `the cluster of context '${connection.context}', ${connection.server.origin}, ${problem}`)
      }
      const checks = await examine(api, given)
      clear()
      io.stdout.write(values.output === 'json' ? printChecks(checks) : printTable(checks, io.stdout))
      io.stderr.write(summary(checks))
      return checks.some(({ state }) => state === 'wrong') ? 1 : 0
    } finally {
      api.close()
    }
  },
})

/** Why nothing further can be asked; undefined where it can. */
async function connectionProblem(api: Api): Promise<string | undefined> {
  // Most clusters tell their version to anybody, and only then want to know who is asking.
  for (const path of ['/version', '/api/v1']) {
    const answer = await api.get(path)
    if (answer.ok || answer.status === 403) continue
    if (answer.status === undefined) return `is not reached: ${answer.reason}`
    if (answer.status === 401) return `does not take the credentials of the kubeconfig: ${answer.reason}`
    return `answers as no API server does: ${answer.reason}`
  }
  return undefined
}

/** Says what is going on where somebody watches; wiped off again by what it returns. */
function showProgress({ stderr }: Io, text: string): () => void {
  if (!stderr.isTerminal) return () => {}
  stderr.write(text)
  return () => stderr.write('\r\u001B[K')
}
