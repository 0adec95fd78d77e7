// The suite of claims and what each file expects, written in its own first comments.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Expectation {
  readonly path: string
  readonly code: string
  /** What the sentence contains, where the file says so. */
  readonly says: string
}

/** Who else judges claims, besides us. */
export const judges = ['ajv', 'function', 'cluster', 'crossplane'] as const
export type Judge = (typeof judges)[number]

export interface ClaimFile {
  /** Relative to the root of the project. */
  readonly name: string
  readonly text: string
  readonly valid: boolean
  readonly expected: readonly Expectation[]
  /** Advice on what is valid: warnings. */
  readonly advice: readonly Expectation[]
  /** Why another judge says otherwise. */
  readonly differs: Readonly<Partial<Record<Judge, string>>>
}

export const root = fileURLToPath(new URL('..', import.meta.url))

const EXPECTATION = /^# (?<kind>expect|warns): (?<path>.*?) ?\[(?<code>[A-Z_]+)\] ?(?<says>.*)$/
const DIFFERENCE = /^# (?<judge>[a-z]+): (?<verdict>accepts|refuses) \((?<reason>.+)\)$/

function folder(directory: string, valid: boolean, wanted = /\.(?:ya?ml|json)$/): ClaimFile[] {
  const names = readdirSync(`${root}${directory}`).filter(name => wanted.test(name))
  return names.sort().map(name => read(`${directory}/${name}`, valid))
}

function read(name: string, valid: boolean): ClaimFile {
  const text = readFileSync(`${root}${name}`, 'utf8')
  const comments = firstComments(text)
  const expected = expectations(comments, 'expect')
  const differs: Partial<Record<Judge, string>> = {}
  for (const line of comments) {
    const { judge, verdict, reason = '' } = DIFFERENCE.exec(line)?.groups ?? {}
    const known = judges.find(known => known === judge)
    if (known === undefined) continue
    if (verdict !== (valid ? 'refuses' : 'accepts')) throw new Error(`${name}: '${line}' is no difference`)
    differs[known] = reason
  }
  if (valid !== (expected.length === 0)) throw new Error(`${name}: an invalid claim expects a finding, a valid one none`)
  return { name, text, valid, expected, advice: expectations(comments, 'warns'), differs }
}

function expectations(comments: readonly string[], wanted: 'expect' | 'warns'): Expectation[] {
  return comments.flatMap(line => {
    const { kind, path = '', code = '', says = '' } = EXPECTATION.exec(line)?.groups ?? {}
    return kind === wanted ? [{ path, code, says }] : []
  })
}

function firstComments(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const end = lines.findIndex(line => !line.startsWith('#'))
  return end < 0 ? lines : lines.slice(0, end)
}

export const validFiles = folder('test/claims/valid', true)
export const invalidFiles = folder('test/claims/invalid', false)
export const exampleFiles = folder('examples', true, /-claim\.yaml$/)
export const claimFiles: readonly ClaimFile[] = [...exampleFiles, ...validFiles, ...invalidFiles]

/** Where a judge says otherwise than the file, and the file does not say why; and where it says why to no purpose. */
export function surprises(judge: Judge, accepts: (file: ClaimFile) => boolean, files = claimFiles): string[] {
  return files.flatMap(file => {
    const said = accepts(file)
    const agrees = said === file.valid
    if (agrees !== (file.differs[judge] !== undefined)) return []
    return [`${judge} ${said ? 'accepts' : 'refuses'} ${file.name}${agrees ? ', as it should: take the comment out' : ''}`]
  })
}
