// Builds everything first, because the namespaces have no network to download from, then runs a command in them.
import type { Progress } from '../cluster/progress.ts'
import { knativeImages } from './knative.ts'
import { exitCodes, runInNamespaces } from './namespaces.ts'
import { prepare } from './prepare.ts'

/** Returns the exit code of the command. Throws if this machine can't run a node. */
export async function enterNamespaces(
  command: readonly string[],
  progress: Progress,
  { knative = false, ...options }: { readonly doors?: number; readonly knative?: boolean } = {},
): Promise<number> {
  // Ends unfinished builds; runInNamespaces handles signals itself.
  const leave = (signal: keyof typeof exitCodes): void => process.exit(exitCodes[signal])
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave)
  try {
    await prepare(progress)
    if (knative) await knativeImages(progress)
  } finally {
    progress.end()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, leave)
  }
  return runInNamespaces(command, options)
}
