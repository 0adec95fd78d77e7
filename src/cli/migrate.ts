import { sentence } from '../claim/findings.ts'
import { isMigrated, type Migrated, migrate as migrateManifests } from '../convert/migrate.ts'
import { isObject } from '../kubernetes/json.ts'
import { kindAndName } from './claim-documents.ts'
import { command } from './command.ts'
import { namesOf, readWholeDocuments } from './documents.ts'
import type { ExitCode, Io } from './io.ts'
import { readPlatform } from './platform-file.ts'
import { painter } from './print/color.ts'
import { printComparison, printSteps } from './print/comparison.ts'
import { printYaml } from './print/manifests.ts'
import { note } from './stderr.ts'

const MODELINE =
  '# yaml-language-server: $schema=https://raw.githubusercontent.com/bizmatters/event-driven-service/main/schemas/eventdrivenservice.schema.json\n'

export const migrate = command({
  name: 'migrate',
  summary: 'Print the claim for hand-written manifests, what changes, and the steps of a migration without downtime.',
  operands: '[FILE|DIR|GLOB|-]...',
  details:
    'Takes one Deployment with its Services, ServiceAccount, ScaledObject and PodDisruptionBudget, as written or as kubectl get\n' +
    'prints them. The claim goes to standard output. Standard error lists, field by field, what will differ, what the platform\n' +
    'adds and what a claim cannot express, and the steps. With --input, the claim can name the priorities, the NATS servers and\n' +
    'the cloud of the platform. Exit codes: 0 migrated, 1 no claim is possible, 2 could not run.',
  examples: [
    'eds migrate deployment.yaml service.yaml scaledobject.yaml > claim.yaml',
    'kubectl -n shop get deployment,service,serviceaccount,scaledobject,poddisruptionbudget -o yaml | eds migrate - --adopt > claim.yaml',
  ],
  options: {
    output: {
      type: 'string',
      short: 'o',
      choices: ['yaml', 'json'],
      description: 'the claim alone as YAML, the default, or claim, comparison and steps as JSON',
    },
    adopt: { type: 'boolean', description: 'let the claim adopt the existing objects, by its annotation' },
    input: { type: 'string', value: 'FILE', description: 'the function input, or a Composition that contains it' },
  },
  async run({ values, operands }, io) {
    const names = namesOf(operands, io, { command: 'migrate', input: 'manifests' })
    const platform = await readPlatform(values.input, io)
    const documents = await readWholeDocuments(names, io)
    const manifests = documents.map(({ value }) => value).filter(isObject)
    for (const other of manifests.filter(manifest => !isMigrated(manifest)))
      note(io, `eds migrate: skipped ${kindAndName(other)}: it stays as it is`)
    const migrated = migrateManifests(manifests, platform, { adopt: values.adopt === true })
    if (!migrated.ok) return refuse(migrated, io)
    note(io, `eds migrate: ${sizeOf(migrated)}`)
    if (values.output === 'json') {
      const { claim, size, rows, steps } = migrated
      io.stdout.write(`${JSON.stringify({ claim, size, comparison: rows.map(({ place: _, ...row }) => row), steps }, null, 2)}\n`)
      return 0
    }
    const paint = painter(io.stderr)
    io.stdout.write(MODELINE + printYaml([migrated.claim]))
    io.stderr.write(`${printComparison(migrated.rows, paint)}\n${printSteps(migrated.steps, paint)}`)
    return 0
  },
})

function refuse({ claim, findings }: Extract<Migrated, { ok: false }>, io: Io): ExitCode {
  for (const finding of findings) note(io, `eds migrate: ${claim === undefined ? '' : 'the claim would be refused: '}${sentence(finding)}`)
  return 1
}

function sizeOf({ size }: Extract<Migrated, { ok: true }>): string {
  if (size?.exact) return `size ${size.size} has exactly these resources`
  if (size !== undefined) return `size ${size.size} is the nearest; its resources are listed below as different or added`
  return 'the manifests set no resources, so the size is the default'
}
