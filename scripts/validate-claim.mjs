// For validate-claim.sh: runs ajv-cli once on all claims and explains its errors. Needs only Node and ajv-cli.
import { spawnSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const OK = 0
const INVALID = 1
const UNABLE = 2

const [ajv, schemaFile, ...files] = process.argv.slice(2)
// The YAML parser of ajv-cli.
const yaml = createRequire(realpathSync(ajv))('js-yaml')

const types = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

let status = OK
const say = (level, file, line) => {
  status = Math.max(status, level)
  console.log(`${file}  ${line}`)
}

const schema = readSchema()
/** The claims that ajv-cli can validate, by file. */
const claims = new Map(files.flatMap(readClaim))

function readSchema() {
  try {
    return JSON.parse(readFileSync(schemaFile, 'utf8'))
  } catch (error) {
    say(UNABLE, schemaFile, `is not a schema: ${error.message}`)
    return undefined
  }
}

function readClaim(file) {
  if (!/\.(ya?ml|json)$/i.test(file)) return unreadable(file, 'its name must end with .yaml, .yml or .json')
  let text
  try {
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    return unreadable(file, { ENOENT: 'no such file', EISDIR: 'it is a folder', EACCES: 'permission denied' }[error.code] ?? error.message)
  }
  try {
    const documents = /\.json$/i.test(file) ? [JSON.parse(text)] : yaml.safeLoadAll(text)
    if (documents.length === 1) return [[file, documents[0]]]
    say(
      UNABLE,
      file,
      `has ${documents.length} documents, but ajv-cli reads one per file: split it, or use \`eds validate\`, which reads all`,
    )
  } catch (error) {
    const { mark, reason, message } = error
    const [name, problem] = mark
      ? [`${file}:${mark.line + 1}:${mark.column + 1}`, `is not YAML: ${reason}`]
      : [file, `is not JSON: ${message}`]
    say(INVALID, name, problem)
  }
  return []
}

function unreadable(file, why) {
  say(UNABLE, file, `cannot be read: ${why}`)
  return []
}

function validate() {
  const paths = new Map([...claims.keys()].map(file => [resolve(file), file]))
  // Escapes characters that ajv-cli treats as a glob.
  const data = [...paths.keys()].flatMap(path => ['-d', path.replaceAll(/[*?[{(]/g, '[$&]')])
  const options = ['--spec=draft2020', '--strict=false', '--all-errors', '--errors=line']
  const { stdout, stderr, error } = spawnSync(process.execPath, [ajv, 'validate', ...options, '-s', schemaFile, ...data], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if (error) throw error
  const valid = new Set(stdout.split('\n').flatMap(line => (line.endsWith(' valid') ? [line.slice(0, -' valid'.length)] : [])))
  const invalid = new Map()
  const lines = stderr.split('\n')
  for (const [index, line] of lines.entries())
    if (line.endsWith(' invalid') && lines[index + 1]?.startsWith('[')) invalid.set(line.slice(0, -' invalid'.length), lines[index + 1])
  for (const [path, file] of paths) {
    if (valid.has(path)) say(OK, file, 'valid')
    else if (invalid.has(path)) for (const line of sentences(JSON.parse(invalid.get(path)), claims.get(file))) say(INVALID, file, line)
    else say(UNABLE, file, `ajv-cli reported no result${stderr.trim() && `: ${stderr.trim()}`}`)
  }
}

/** One sentence for each path, in the order of ajv. Rules across fields come last, and only if their fields have no other error. */
function sentences(errors, claim) {
  const found = new Map()
  const rules = []
  for (const error of errors) {
    const rule = ruleOf(error, claim)
    if (rule !== undefined) rules.push(rule)
    else addTo(found, { steps: stepsOf(error.instancePath), ...wordsOf(error, claim) })
  }
  const broken = errors
    .filter(error => ruleOf(error) === undefined)
    .map(error => stepsOf(error.instancePath).concat(wordsOf(error, claim).below ?? []))
  const isOtherwiseValid = ({ steps }) =>
    !broken.some(path => path.every((step, i) => step === steps[i]) || steps.every((step, i) => step === path[i]))
  for (const rule of rules.filter(isOtherwiseValid)) addTo(found, rule)
  return found.values()

  function addTo(sentences, { steps, below = [], problem, shown }) {
    const name = pathName([...steps, ...below], claim)
    if (!sentences.has(name))
      sentences.set(name, `${name === '' ? 'the document' : name}: ${problem}${shown === undefined ? '' : `, got ${shown}`}`)
  }
}

/** The schema expresses the CEL rules of the API under allOf, with the message of the rule as $comment. */
function ruleOf({ schemaPath, instancePath }, claim) {
  const [, owner, index] = /^#(.*?)\/allOf\/(\d+)(?:\/|$)/.exec(schemaPath) ?? []
  if (owner === undefined) return undefined
  const { allOf, 'x-kubernetes-validations': rules = [] } = at(schema, stepsOf(owner))
  const message = allOf[Number(index)].$comment
  // Each property and each item on the path to the owner is one step of the value.
  const depth = (owner.match(/\/properties\/[^/]+|\/items/g) ?? []).length
  const { fieldPath = '', reason } = rules.find(rule => rule.message === message) ?? {}
  const steps = [...stepsOf(instancePath).slice(0, depth), ...fieldPath.split('.').filter(Boolean)]
  const value = reason === 'FieldValueRequired' ? undefined : at(claim, steps)
  return { steps, problem: message, ...(value !== undefined && typeof value !== 'object' && { shown: show(value) }) }
}

function wordsOf({ keyword, params, schemaPath, instancePath, message }, claim) {
  const owner = at(schema, stepsOf(schemaPath.slice(1)).slice(0, -1))
  const value = at(claim, stepsOf(instancePath))
  const size = typeof value === 'object' && value !== null ? Object.keys(value).length : [...String(value)].length
  switch (keyword) {
    case 'required':
      return { below: [params.missingProperty], problem: 'required field missing' }
    case 'additionalProperties':
      return { below: [params.additionalProperty], problem: 'unknown field' }
    case 'type':
      // Kubernetes treats a field without a value as absent.
      if (value === null && required(schemaPath)) return { problem: 'required field missing' }
      return { problem: `must be ${types[params.type] ?? params.type}`, shown: show(value) }
    case 'const':
      return { problem: `must be ${owner.const}`, shown: show(value) }
    case 'enum':
      return { problem: `must be one of [${owner.enum.join(', ')}]`, shown: show(value) }
    case 'pattern':
      return {
        problem: `must be a valid ${owner.title ?? 'value'}${owner.examples ? ` such as '${owner.examples[0]}'` : ''}`,
        shown: show(value),
      }
    case 'minimum':
    case 'maximum':
      return { problem: `must be ${range(owner.minimum, owner.maximum)}`, shown: show(value) }
    case 'minLength':
    case 'maxLength':
      return { problem: counted(range(owner.minLength, owner.maxLength), 'character'), shown: size }
    case 'minItems':
    case 'maxItems':
      return { problem: counted(range(owner.minItems, owner.maxItems), 'item'), shown: size }
    case 'minProperties':
    case 'maxProperties':
      return { problem: counted(range(owner.minProperties, owner.maxProperties), 'field'), shown: size }
    default:
      return { problem: message }
  }
}

/** Whether the property with this keyword is required. */
function required(schemaPath) {
  const steps = stepsOf(schemaPath.slice(1))
  const [properties, name] = steps.slice(-3)
  return properties === 'properties' && at(schema, steps.slice(0, -3)).required?.includes(name) === true
}

function counted(allowed, unit) {
  return `must have ${allowed} ${unit}${allowed.endsWith(' 1') ? '' : 's'}`
}

function range(minimum, maximum) {
  if (minimum === undefined) return `at most ${maximum}`
  if (maximum === undefined) return `at least ${minimum}`
  return minimum === maximum ? `exactly ${minimum}` : `from ${minimum} to ${maximum}`
}

function show(value) {
  if (typeof value === 'string') return `'${printable(value.length > 60 ? `${value.slice(0, 60)}…` : value)}'`
  if (value instanceof Date) return 'a date: quote it'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 ? 'an empty object' : 'an object'
  return String(value)
}

/** Escapes control characters, so a value cannot control the terminal or forge a line of the log. */
function printable(text) {
  return text.replaceAll(/\p{Cc}/gu, character => `\\u${character.codePointAt(0).toString(16).padStart(4, '0')}`)
}

function stepsOf(pointer) {
  return pointer
    .split('/')
    .slice(1)
    .map(step => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
}

function at(value, steps) {
  return steps.reduce((here, step) => here?.[step], value)
}

function pathName(steps, claim) {
  let name = ''
  let here = claim
  for (const step of steps) {
    if (Array.isArray(here)) name += `[${step}]`
    else if (!/^[A-Za-z_$][\w$-]*$/.test(step)) name += `[${JSON.stringify(step)}]`
    else name += name === '' ? step : `.${step}`
    here = here?.[step]
  }
  return name
}

if (schema !== undefined && claims.size > 0) validate()
process.exitCode = status
