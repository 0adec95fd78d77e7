import { formatPath, type Path, sentence } from '../../claim/findings.ts'
import type { Json } from '../../kubernetes/json.ts'
import { printable } from '../../text/printable.ts'
import type { Output } from '../io.ts'
import { type Paint, painter } from '../print/color.ts'
import { toYaml } from '../print/manifests.ts'
import { type ClaimDiff, isKnative, type ObjectDiff } from './claim-diff.ts'
import type { Change } from './compare.ts'

/** The claims that change, or could not be compared. */
export function printDiffs(claims: readonly ClaimDiff[], out: Output): string {
  const paint = painter(out)
  return claims
    .filter(claim => isChanged(claim) || hasProblem(claim) || claim.notes.length > 0)
    .map(claim => printClaim(claim, paint))
    .join('\n')
}

export const isChanged = ({ objects }: ClaimDiff): boolean => objects.some(({ action }) => action !== 'none')

export const hasProblem = ({ findings, objects }: ClaimDiff): boolean =>
  findings.length > 0 || objects.some(({ problem }) => problem !== undefined)

const printClaim = ({ namespace, name, findings, notes, objects }: ClaimDiff, paint: Paint): string =>
  [
    `${paint('bold', printable(`${namespace}/${name}`))}${findings.length === 0 ? '' : ' is refused, so its objects stay as they are'}\n`,
    ...findings.map(finding => `  ${paint('red', '!')} ${sentence(finding)} ${paint('dim', `[${finding.code}]`)}\n`),
    ...objects.map(object => printObject(object, paint)),
    ...notes.map(text => `  ${paint('yellow', '!')} ${printable(text)}\n`),
  ].join('')

const signs = { create: '+', change: '~', delete: '-', none: ' ' } as const
const styles = { create: 'green', change: 'yellow', delete: 'red', none: 'dim' } as const

function printObject(object: ObjectDiff, paint: Paint): string {
  const { action, name, changes, estimated, problem } = object
  if (action === 'none' && problem === undefined) return ''
  const how = estimated === undefined ? '' : paint('dim', ' (estimated)')
  const title = `  ${paint(styles[action], signs[action])} ${paint('bold', printable(`${calledIn(object)} ${name}`))} ${effectOf(object)}${how}\n`
  const refused = problem === undefined ? '' : `    ${paint('red', `the API server refuses it: ${printable(problem)}`)}\n`
  return title + refused + printChanges(changes, paint)
}

/** Kubernetes and Knative both have a Service. */
const calledIn = ({ apiVersion, kind }: ObjectDiff) => (isKnative(apiVersion) ? `Knative ${kind}` : kind)

function effectOf({ action, kind, restartsPods, makesRevision }: ObjectDiff): string {
  switch (action) {
    case 'create':
      return 'is created'
    case 'delete':
      return 'is deleted'
    case 'none':
      return 'does not change'
    case 'change':
      if (restartsPods) return 'changes, and its pods restart'
      if (makesRevision) return 'changes, and Knative makes a new revision'
      return kind === 'Deployment' ? 'changes, and no pod restarts' : 'changes'
    default:
      return action satisfies never
  }
}

/** The changes of one place are under one line with its path. */
function printChanges(changes: readonly Change[], paint: Paint): string {
  const places = new Map<string, Change[]>()
  for (const change of changes) {
    const place = formatPath(change.isOrder ? change.path : change.path.slice(0, -1))
    places.set(place, [...(places.get(place) ?? []), change])
  }
  return [...places]
    .map(
      ([place, own]) =>
        `${place === '' ? '' : `    ${paint('cyan', `@@ ${printable(place)} @@`)}\n`}${own.map(one => printChange(one, paint)).join('')}`,
    )
    .join('')
}

function printChange({ path, from, to, isEntry, isOrder }: Change, paint: Paint): string {
  const lines = (sign: '-' | '+', value: Json | undefined) =>
    value === undefined
      ? ''
      : linesOf(isOrder ? `# in this order: ${[value].flat().join(', ')}` : toYaml(isEntry ? [value] : placed(path, value)))
          .map(line => `    ${paint(sign === '-' ? 'red' : 'green', `${sign} ${printable(line)}`)}\n`)
          .join('')
  return lines('-', from) + lines('+', to)
}

/** A field with its name, an entry of a list as one, and a whole object as it is. */
function placed(path: Path, value: Json): Json {
  const step = path.at(-1)
  if (step === undefined) return value
  return typeof step === 'number' ? [value] : { [step]: value }
}

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n')

/** Scripts read these fields, so they keep their names. */
export const printDiffsAsJson = (claims: readonly ClaimDiff[]): string =>
  `${JSON.stringify({ claims: claims.map(publishClaim) }, null, 2)}\n`

const publishClaim = ({ namespace, name, findings, notes, objects }: ClaimDiff) => ({
  namespace,
  name,
  ...(findings.length > 0 && {
    findings: findings.map(finding => ({ code: finding.code, path: formatPath(finding.path), message: sentence(finding) })),
  }),
  ...(notes.length > 0 && { notes }),
  objects: objects.map(({ changes, ...object }) => ({
    ...object,
    changes: changes.map(({ path, isEntry: _, isOrder, ...values }) => ({
      path: formatPath(path),
      ...values,
      ...(isOrder && { order: true }),
    })),
  })),
})

/** What changes in all, as one line. */
export function summary(claims: readonly ClaimDiff[]): string {
  const objects = claims.flatMap(claim => claim.objects)
  const count = (number: number, noun: string, verb: string) =>
    number === 0 ? [] : [`${number} ${noun}${number === 1 ? '' : 's'} ${verb}`]
  const by = (action: ObjectDiff['action']) => objects.filter(object => object.action === action).length
  const is = (number: number) => (number === 1 ? 'is' : 'are')
  const restarting = objects.filter(({ restartsPods }) => restartsPods).length
  const revisions = objects.filter(({ makesRevision }) => makesRevision).length
  const refusedClaims = claims.filter(({ findings }) => findings.length > 0).length
  const refused = objects.filter(({ problem }) => problem !== undefined).length
  const parts = [
    ...count(by('create'), 'object', `${is(by('create'))} created`),
    ...count(by('change'), 'object', by('change') === 1 ? 'changes' : 'change'),
    ...count(by('delete'), 'object', `${is(by('delete'))} deleted`),
    ...count(restarting, 'Deployment', restarting === 1 ? 'restarts its pods' : 'restart their pods'),
    ...count(revisions, 'Knative revision', `${is(revisions)} made`),
    ...count(refusedClaims, 'claim', `${is(refusedClaims)} refused`),
    ...count(refused, 'object', `${is(refused)} refused by the API server`),
  ]
  const changed = claims.filter(isChanged).length
  const of = claims.length === 1 ? '' : `${changed} of ${claims.length} claims change: `
  return parts.length === 0 ? `nothing changes${claims.length === 1 ? '' : ` in ${claims.length} claims`}\n` : `${of}${parts.join(', ')}\n`
}
