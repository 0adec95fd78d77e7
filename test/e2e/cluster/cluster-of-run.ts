// One cluster for all files of a run. It ends with the run.
import { afterAll, beforeAll } from 'vitest'
import type { Cluster } from './cluster.ts'

/** The seconds to each stage. */
export const table = ({ stages }: Cluster): string =>
  ['seconds  stage', ...stages.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)}  ${name}`)].join('\n')

/** Starts the cluster with the first file that needs it. */
export function onceForAllFiles<Setting extends { readonly cluster: Cluster }>(start: () => Promise<Setting>): () => () => Setting {
  let starting: Promise<Setting> | undefined
  return () => {
    let setting: Setting | undefined
    beforeAll(async () => {
      starting ??= start()
      setting = await starting
    })
    afterAll(() => setting?.cluster.processes.check())
    return () => {
      if (setting === undefined) throw new Error('the cluster is not up')
      return setting
    }
  }
}
