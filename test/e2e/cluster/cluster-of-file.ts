// One cluster for all tests of a file, which ends with them. Its logs stay if a test failed.
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts'
import { toStandardError } from './programs.ts'

/** `begin` prepares the cluster for the tests, and `end` ends what it began there. */
export function clusterOfFile<T>(options: ClusterOptions, begin: (cluster: Cluster) => Promise<T>, end?: (begun: T) => void): () => T {
  let cluster: Cluster | undefined
  let begun: { readonly value: T } | undefined
  let failed = false

  beforeAll(async () => {
    cluster = await startCluster(toStandardError, options)
    try {
      begun = { value: await begin(cluster) }
    } catch (error) {
      failed = true
      throw error
    }
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') failed = true
  })
  afterAll(async () => {
    if (begun !== undefined) end?.(begun.value)
    if (failed && cluster !== undefined)
      process.stderr.write(`a test failed; the logs of the control plane are in ${cluster.processes.logs}\n`)
    await cluster?.stop({ keepLogs: failed })
  })
  return () => {
    if (begun === undefined) throw new Error('the control plane is not up')
    return begun.value
  }
}
