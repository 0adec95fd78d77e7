import { COMPOSITE_KIND, KIND } from '../claim/identity.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { isObject, type JsonObject } from '../kubernetes/json.ts'
import type { Platform } from '../platform/platform.ts'
import { type Composition, compose } from '../reconcile/compose.ts'
import { parseClaim } from '../reconcile/parse-claim.ts'
import { didYouMean } from '../text/did-you-mean.ts'
import { type ClaimDocument, kindAndName, sortDocuments } from './claim-documents.ts'
import { command } from './command.ts'
import { endOnFindings, namesOf, readDocuments, readWholeDocuments } from './documents.ts'
import type { ExitCode, Io } from './io.ts'
import { observedOf } from './observed.ts'
import { readPlatform } from './platform-file.ts'
import { painter } from './print/color.ts'
import { printJson, printYaml } from './print/manifests.ts'
import { printTree } from './print/tree.ts'
import { fail, note } from './stderr.ts'
import { type LocatedFinding, locateFindings, type SourceDocument } from './yaml/source.ts'

export const render = command({
  name: 'render',
  summary: 'Print the resources of a claim, as the function returns them to Crossplane, without a cluster.',
  operands: '[FILE|DIR|GLOB|-]...',
  details:
    'Renders claims and composite resources, and skips other manifests. Without a file it reads standard input.\n' +
    'Prints nothing unless every claim is valid. Exit codes: 0 rendered, 1 findings, 2 could not run.',
  examples: [
    'eds render claim.yaml',
    'eds render claims/ -o tree --environment production',
    'kubectl get eventdrivenservices -A -o yaml | eds render - --input apis/composition.yaml -o json',
  ],
  options: {
    output: { type: 'string', short: 'o', choices: ['yaml', 'json', 'tree'], description: 'output format; default: yaml' },
    namespace: { type: 'string', short: 'n', value: 'NAMESPACE', description: 'namespace of claims that name none; default: default' },
    environment: { type: 'string', value: 'NAME', description: "environment to use instead of the claim's" },
    input: { type: 'string', value: 'FILE', description: 'the function input, or a Composition that contains it' },
    observed: { type: 'string', value: 'FILE|DIR', description: 'the existing objects, such as the output of kubectl get -o yaml' },
  },
  async run({ values, operands }, io): Promise<ExitCode> {
    const platform = await readPlatform(values.input, io)
    if (values.environment !== undefined) checkEnvironment(values.environment, platform)
    const names = namesOf(operands, io, { command: 'render', input: 'a claim' })
    const observed = values.observed === undefined ? undefined : await readObserved(values.observed, io)
    const { documents, findings: syntaxFindings, complete } = await readDocuments(names, io)
    const { claims, others, findings: kindFindings } = sortDocuments(documents)
    for (const other of others) note(io, `${positionOf(other)}: skipped because ${kindAndName(other.value)} is not an ${KIND}`)
    const results = claims.map(({ document, claim }) => renderClaim({ document, claim: adjust(claim, values) }, platform, observed))
    const findings = [...syntaxFindings, ...kindFindings, ...results.flatMap(({ findings }) => findings)]
    endOnFindings(findings, { complete }, io)
    if (claims.length === 0) return fail('eds render', `the input contains no ${KIND}`)
    io.stdout.write(
      print(
        results.flatMap(({ rendered }) => rendered ?? []),
        values.output ?? 'yaml',
        io,
      ),
    )
    return 0
  },
})

/** The platform may have environments of its own, so the flag has no fixed choices. */
function checkEnvironment(environment: string, { environments }: Platform): void {
  const names = Object.keys(environments)
  if (names.includes(environment)) return
  const near = didYouMean(environment, names)
  fail(
    'eds render',
    `--environment must be one of [${names.join(', ')}], got '${environment}'${near === undefined ? '' : `; did you mean ${near}?`}`,
  )
}

function positionOf({ file, locate }: SourceDocument): string {
  const { line, column } = locate(['kind'], 'key')
  return `${file}:${line}:${column}`
}

async function readObserved(name: string, io: Io): Promise<JsonObject[]> {
  const documents = await readWholeDocuments([name], io)
  return documents.map(({ value }) => value).filter(isObject)
}

/** Applies the flags to a claim. A composite gets a namespace only from the flag, because it may have none. */
function adjust(claim: JsonObject, { namespace, environment }: { namespace?: string; environment?: string }): JsonObject {
  const added = namespace ?? (claim.kind === COMPOSITE_KIND ? undefined : 'default')
  const metadata = isObject(claim.metadata) ? claim.metadata : {}
  const placed = added === undefined || metadata.namespace !== undefined ? claim : { ...claim, metadata: { ...metadata, namespace: added } }
  return environment === undefined || !isObject(claim.spec) ? placed : { ...placed, spec: { ...claim.spec, environment } }
}

interface Rendered {
  readonly claim: ResolvedClaim
  readonly composition: Composition
  readonly isObserved: boolean
}

interface RenderResult {
  readonly findings: readonly LocatedFinding[]
  readonly rendered?: Rendered
}

function renderClaim(
  { document, claim: composite }: ClaimDocument,
  platform: Platform,
  manifests: readonly JsonObject[] | undefined,
): RenderResult {
  const parsed = parseClaim(composite, platform)
  if (!parsed.ok) return { findings: locateFindings(document, parsed.findings) }
  const { claim } = parsed
  const first = compose(claim, platform, {})
  const composition = manifests === undefined ? first : compose(claim, platform, observedOf(claim, first.resources, manifests))
  return { findings: [], rendered: { claim, composition, isObserved: manifests !== undefined } }
}

function print(rendered: readonly Rendered[], output: 'yaml' | 'json' | 'tree', { stdout }: Io): string {
  const desired = () => rendered.flatMap(({ composition }) => composition.resources.map(resource => resource.desired))
  switch (output) {
    case 'yaml':
      return printYaml(desired())
    case 'json':
      return printJson(desired())
    case 'tree':
      return rendered.map(one => tree(one, stdout)).join('\n')
    default:
      return output satisfies never
  }
}

function tree({ claim, composition, isObserved }: Rendered, stdout: Io['stdout']): string {
  const branches = composition.resources.map(({ key, manifest, readiness }) => ({
    key,
    manifest,
    readiness: isObserved ? readiness : undefined,
  }))
  const root = `${KIND} ${claim.namespace}/${claim.name}`
  return printTree({ root, facts: `runtime ${claim.runtime}, size ${claim.size}`, branches }, painter(stdout))
}
