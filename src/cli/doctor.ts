import { command } from './command.ts'
import { clusterOptions, showingProgress, withCluster } from './connect.ts'
import { readOperands } from './doctor/claims.ts'
import { examine } from './doctor/examine.ts'
import { printChecks, printTable, summary } from './doctor/print.ts'
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
    ...clusterOptions,
  },
  run: ({ values, operands }, io) =>
    withCluster('doctor', values, async ({ api, check, namespace, server }) => {
      const claims = await readOperands(operands, namespace, io)
      if (claims.named.length + claims.written.length === 0 && operands.length > 0)
        return fail('eds doctor', 'the given files contain no EventDrivenService')
      const { checks: sections } = await showingProgress(io, `checking ${server.host} …`, async () => {
        await check()
        return examine(api, claims)
      })
      const checks = Object.values(sections).flat()
      io.stdout.write(values.output === 'json' ? printChecks(checks) : printTable(checks, io.stdout))
      io.stderr.write(summary(checks))
      return checks.some(({ state }) => state === 'wrong') ? 1 : 0
    }),
})
