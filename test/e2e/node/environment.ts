// The environment variables by which a run knows that it is in the namespaces of a node.

/** The folder of the run. */
export const FOLDER = 'EDS_NODE_FOLDER'
/** The cgroup hierarchies of the machine, as JSON. */
export const HIERARCHIES = 'EDS_NODE_CGROUPS'
/** The ports of the doors, separated by commas. */
export const DOORS = 'EDS_NODE_DOORS'

/** Whether this process runs in the namespaces of a node. */
export const isInside = (): boolean => process.env[FOLDER] !== undefined
