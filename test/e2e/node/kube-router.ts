// kube-router enforces NetworkPolicies on the node. Of its controllers only that one runs, as a process beside kube-proxy: its rules and
// sets of addresses are in the network namespace of the node, and end with it.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Cluster } from '../cluster/cluster.ts'
import { goTool } from '../go-tools.ts'
import { NODE_NAME, SERVICES } from './addresses.ts'

const run = promisify(execFile)
const NAME = 'kube-router'

/** Enforces the policies of the cluster from now on; the result ends that. */
export async function enforcePolicies({ processes, kubeconfig }: Cluster): Promise<() => Promise<void>> {
  const file = await goTool('cluster/programs/kube-router')
  const controllers = ['--run-firewall=true', '--run-router=false', '--run-service-proxy=false', '--run-loadbalancer=false']
  const node = [`--kubeconfig=${kubeconfig}`, `--hostname-override=${NODE_NAME}`, `--service-cluster-ip-range=${SERVICES}`]
  processes.start({ name: NAME, file, args: [...controllers, ...node, '--enable-cni=false', '--health-port=0'] })
  return async () => {
    await processes.stop(NAME)
    await removeRules()
  }
}

/** Its own cleanup needs IPVS in the kernel. */
async function removeRules(): Promise<void> {
  const { stdout } = await run('iptables-save', ['-t', 'filter'])
  const others = stdout.split('\n').filter(line => !/KUBE-(ROUTER|POD-FW|NWPLCY)/.test(line))
  const restoring = run('iptables-restore', ['--wait'])
  restoring.child.stdin?.end(others.join('\n'))
  await restoring
  await run('ipset', ['destroy'])
}
