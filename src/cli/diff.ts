import { isObject, type JsonObject } from '../kubernetes/json.ts'
import { command } from './command.ts'
import { clusterOptions, showingProgress, withCluster } from './connect.ts'
import { type ClaimDiff, diffClaim } from './diff/claim-diff.ts'
import { readCluster } from './diff/cluster.ts'
import { readManifests } from './diff/file.ts'
import type { Live } from './diff/live.ts'
import { hasProblem, isChanged, printDiffs, printDiffsAsJson, summary } from './diff/print.ts'
import { type Operands, readOperands } from './doctor/claims.ts'
import { readWholeDocuments } from './documents.ts'
import type { ExitCode, Io } from './io.ts'
import { readPlatform } from './platform-file.ts'
import { CommandError, fail, note } from './stderr.ts'

/** Claims that are compared at once. */
const AT_ONCE = 8

export const diff = command({
  name: 'diff',
  summary: 'Print what a changed claim, a changed input or this version would change in the live objects.',
  operands: '[FILE|DIR|GLOB|-|NAMESPACE/NAME]...',
  details:
    'A file has changed claims; a name, or --all, means live claims. Composes them with this version of eds and the input of their\n' +
    'Composition, or --input. Asks the API server by a dry run of server-side apply, with the field manager of Crossplane, what each\n' +
    'object would become. This changes nothing, but needs the right to patch the objects. Without it, or with --observed instead of a\n' +
    'cluster, eds merges itself and fills in no defaults: such objects are marked as estimated. For --observed, get the objects with\n' +
    'kubectl get --show-managed-fields -o yaml; without managed fields, removed fields are not found.\n' +
    'Exit codes, as of kubectl diff: 0 nothing changes, 1 something changes, 2 a claim or an object is refused, or could not run.',
  examples: [
    'eds diff claim.yaml',
    'eds diff --all',
    'eds diff shop/orders-worker --input composition.yaml -o json',
    'eds diff claim.yaml --observed objects.yaml --input composition.yaml',
  ],
  options: {
    output: { type: 'string', short: 'o', choices: ['text', 'json'], description: 'output format; default: text' },
    all: { type: 'boolean', description: 'compare every live claim' },
    input: { type: 'string', value: 'FILE', description: "the function input, or a Composition that contains it; default: the cluster's" },
    observed: { type: 'string', value: 'FILE|DIR', description: 'the live objects, instead of a cluster' },
    ...clusterOptions,
  },
  async run({ values, operands }, io) {
    if (operands.length === 0 && !values.all) return fail('eds diff', 'name a claim or a file, or use --all')
    if (operands.length > 0 && values.all) return fail('eds diff', '--all takes no names and no files')
    const platform = values.input === undefined ? undefined : await asProblem(() => readPlatform(values.input, io))
    const compare = async (live: Live, claims: Operands) => {
      const documents = await documentsOf(live, claims, values)
      return mapSome(documents, document => diffClaim(live, document, platform))
    }
    const { observed } = values
    const read = (namespace: string) => asProblem(() => readOperands(operands, namespace, io))
    const diffs =
      observed === undefined
        ? await withCluster('diff', values, async ({ api, check, namespace, server }) => {
            const claims = await read(namespace)
            return showingProgress(io, `comparing with ${server.host} …`, async () => {
              await check()
              return compare(await readCluster(api), claims)
            })
          })
        : await compare(
            readManifests((await asProblem(() => readWholeDocuments([observed], io))).map(({ value }) => value).filter(isObject)),
            await read(values.namespace ?? 'default'),
          )
    return report(diffs, values.output ?? 'text', io)
  },
})

function report(diffs: readonly ClaimDiff[], output: 'text' | 'json', io: Io): ExitCode {
  io.stdout.write(output === 'json' ? printDiffsAsJson(diffs) : printDiffs(diffs, io.stdout))
  const reasons = new Set(diffs.flatMap(({ objects }) => objects.flatMap(({ estimated }) => estimated ?? [])))
  for (const reason of reasons) note(io, `estimated without defaults: ${reason}`)
  note(io, summary(diffs).trimEnd())
  if (diffs.some(hasProblem)) return 2
  return diffs.some(isChanged) ? 1 : 0
}

async function documentsOf(live: Live, { named, written }: Operands, { all }: { readonly all?: boolean }): Promise<readonly JsonObject[]> {
  if (all) return live.claims()
  const found = await Promise.all(
    named.map(async one => (await live.claim(one)) ?? fail('eds diff', `claim ${one.namespace}/${one.name} does not exist`)),
  )
  const documents = [...found, ...written.map(({ claim }) => claim)]
  return documents.length > 0 ? documents : fail('eds diff', 'the given files contain no EventDrivenService')
}

/** Here 1 means that something changes, so a mistake in a file is 2. */
async function asProblem<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw error instanceof CommandError ? new CommandError(2, error.message) : error
  }
}

/** In order, a few at a time. */
async function mapSome<T, R>(all: readonly T[], map: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const rest = all.entries()
  const work = async () => {
    for (const [index, one] of rest) results[index] = await map(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return results
}
