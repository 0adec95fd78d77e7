// The addresses of a node. They exist only in its network namespace, so every node has the same.
export const NODE_NAME = 'node'
export const BRIDGE = 'cni0'
/** The node's address, where pods reach the processes of the control plane. */
export const NODE_ADDRESS = '10.1.0.1'
export const PODS = '10.1.0.0/24'
export const FIRST_POD = '10.1.0.10'
export const SERVICES = '10.0.0.0/16'
export const DNS_ADDRESS = '10.0.0.10'
