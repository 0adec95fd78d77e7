// Checks the packages, the API and the Composition that calls the function.
import manifest from '../../../package.json' with { type: 'json' }
import { COMPOSITE_KIND, KIND } from '../../claim/identity.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { builtInPlatform, type Platform, parsePlatform } from '../../platform/platform.ts'
import { findingsMessage } from '../../reconcile/conditions.ts'
import { shell } from '../../text/shell-quote.ts'
import { GROUP } from '../claim-documents.ts'
import { isInput } from '../platform-file.ts'
import { type Api, isAbsent, itemsOf, nameOf } from './api.ts'
import { type Check, unknown, unneeded, well, wrong } from './check.ts'
import type { Answer } from './http.ts'

const PLURAL = `${KIND.toLowerCase()}s`
const XRDS = [`x${PLURAL}.${GROUP}`, `${PLURAL}.${GROUP}`]
const FUNCTION = 'function-event-driven-service'
const CONFIGURATION = 'configuration-event-driven-service'
const install = (kind: string, name: string) => shell`crossplane xpkg install ${kind} ghcr.io/bizmatters/${name}:v${manifest.version}`
const INSTALL_CONFIGURATION = install('configuration', CONFIGURATION)
/** Crossplane restores the objects of a package whenever the package's revision changes. */
const restore = (configuration: string) =>
  shell`kubectl annotate configurationrevisions.pkg.crossplane.io -l pkg.crossplane.io/package=${configuration} --overwrite restored=$(date +%s)`
const EXTENSIONS = '/apis/apiextensions.crossplane.io/v1'
const PACKAGES = '/apis/pkg.crossplane.io/v1'

export interface Installed {
  readonly checks: readonly Check[]
  /** The platform settings in the Composition of a claim. */
  readonly platformOf: (composite: JsonObject | undefined) => Platform
}

export async function checkPackages(api: Api): Promise<Installed> {
  const [functions, configurations, compositions, ...definitions] = await Promise.all([
    api.get(`${PACKAGES}/functions`),
    api.get(`${PACKAGES}/configurations`),
    api.get(`${EXTENSIONS}/compositions`),
    ...XRDS.map(name => api.get(`${EXTENSIONS}/compositeresourcedefinitions/${name}`)),
  ])
  const configuration = itemsOf(configurations).find(one => textOf(at(one, 'spec', 'package')).includes(CONFIGURATION))
  const reinstall = configuration ? restore(nameOf(configuration)) : undefined
  const definition = checkDefinition(definitions, reinstall)
  const own = itemsOf(compositions).filter(isOurs)
  const checked = own.map(one => checkComposition(one, reinstall))
  const called = new Set(checked.flatMap(({ calls }) => calls))
  const platforms = new Map(checked.flatMap(({ name, platform }): [string, Platform][] => (platform ? [[name, platform]] : [])))
  const byDefault = platforms.get(defaultOf(definitions) ?? '') ?? [...platforms.values()][0] ?? builtInPlatform
  const isUsable = definition.state === 'well' && own.length > 0
  return {
    checks: [
      ...checkFunctions(functions, called),
      checkConfiguration(configurations, configuration, { isUsable }),
      definition,
      ...(own.length > 0 ? checked.map(({ check }) => check) : [noComposition(compositions, reinstall)]),
    ],
    platformOf: composite => platforms.get(chosenBy(composite) ?? '') ?? byDefault,
  }
}

const isOurs = (composition: JsonObject) => {
  const { apiVersion, kind } = typeOf(composition)
  return textOf(apiVersion).startsWith(`${GROUP}/`) && (kind === COMPOSITE_KIND || kind === KIND)
}
const typeOf = (composition: JsonObject) => {
  const type = at(composition, 'spec', 'compositeTypeRef')
  return { apiVersion: at(type, 'apiVersion'), kind: at(type, 'kind') }
}

const text = (value: Json | undefined) => (typeof value === 'string' ? value : undefined)

/** A namespaced composite has Crossplane's fields under spec.crossplane. */
const chosenBy = (composite: JsonObject | undefined) =>
  text(at(composite, 'spec', 'compositionRef', 'name')) ?? text(at(composite, 'spec', 'crossplane', 'compositionRef', 'name'))

function defaultOf(definitions: readonly Answer[]): string | undefined {
  const found = definitions.find(answer => answer.ok)
  const spec = found?.ok ? at(found.body, 'spec') : undefined
  return text(at(spec, 'enforcedCompositionRef', 'name')) ?? text(at(spec, 'defaultCompositionRef', 'name'))
}

function checkFunctions(answer: Answer, called: ReadonlySet<string>): Check[] {
  const name = 'Function'
  if (!answer.ok && !isAbsent(answer)) return [unknown(name, `can't be listed: ${answer.reason}`)]
  const functions = itemsOf(answer)
  // A function installed as a dependency is named after its repository, so only the name in the Composition counts.
  const expected = called.size > 0 ? [...called] : functions.map(nameOf).filter(found => found.endsWith(FUNCTION))
  if (expected.length === 0) return [wrong(name, 'is not installed', INSTALL_CONFIGURATION)]
  return expected.map(functionName => {
    const found = functions.find(one => nameOf(one) === functionName)
    if (found !== undefined) return checkPackage(name, 'function.pkg', found)
    const other = functions.map(nameOf).find(one => one.endsWith(FUNCTION))
    const message = `the Composition calls function ${functionName}, which is not installed`
    return other === undefined
      ? wrong(name, message, install('function', FUNCTION) + shell` ${functionName}`)
      : wrong(name, `${message}; the installed function is named ${other}`, 'kubectl get functions.pkg.crossplane.io')
  })
}

function checkConfiguration(answer: Answer, found: JsonObject | undefined, { isUsable }: { readonly isUsable: boolean }): Check {
  const name = 'Configuration'
  if (!answer.ok && !isAbsent(answer)) return unknown(name, `can't be listed: ${answer.reason}`)
  if (found !== undefined) return checkPackage(name, 'configuration.pkg', found)
  return isUsable
    ? unneeded(name, 'is not installed as a package, but the API and the Composition exist')
    : wrong(name, 'is not installed', INSTALL_CONFIGURATION)
}

/** Installed means that the package has an active revision, Healthy that the revision works. */
export function checkPackage(name: string, kind: string, found: JsonObject): Check {
  const called = nameOf(found)
  const tag = textOf(at(found, 'spec', 'package'))
  const problems = ['Installed', 'Healthy'].flatMap(type => {
    const state = observedCondition(found, type)
    if (state?.status === 'True') return []
    return [`not ${type}${state?.message ? `: ${state.message}` : state?.reason ? `: ${state.reason}` : ''}`]
  })
  if (problems.length === 0) return well(name, `${called} is installed and healthy (${tag})`)
  return wrong(name, `${called} (${tag}) is ${problems.join('; ')}`, shell`kubectl describe ${kind} ${called}`)
}

function checkDefinition(answers: readonly Answer[], reinstall = INSTALL_CONFIGURATION): Check {
  const name = 'API (XRD)'
  const found = answers.flatMap(answer => (answer.ok && isObject(answer.body) ? [answer.body] : []))[0]
  if (found === undefined) {
    const failed = answers.find(answer => !answer.ok && !isAbsent(answer))
    if (failed !== undefined && !failed.ok) return unknown(name, `can't be read: ${failed.reason}`)
    return wrong(name, `neither ${XRDS.join(' nor ')} exists`, reinstall)
  }
  const types = at(found, 'spec', 'claimNames') === undefined ? ['Established'] : ['Established', 'Offered']
  const failing = types.filter(type => observedCondition(found, type)?.status !== 'True')
  if (failing.length === 0) return well(name, `${nameOf(found)} is ${types.join(' and ').toLowerCase()}`)
  const reasons = failing.map(type => `not ${type}: ${observedCondition(found, type)?.message || 'Crossplane has not reconciled it yet'}`)
  return wrong(name, `${nameOf(found)} is ${reasons.join('; ')}`, shell`kubectl describe xrd ${nameOf(found)}`)
}

function noComposition(answer: Answer, reinstall = INSTALL_CONFIGURATION): Check {
  if (!answer.ok && !isAbsent(answer)) return unknown('Composition', `can't be listed: ${answer.reason}`)
  return wrong('Composition', `no Composition for ${COMPOSITE_KIND} of ${GROUP} exists`, reinstall)
}

interface CheckedComposition {
  readonly name: string
  readonly check: Check
  readonly calls: readonly string[]
  readonly platform?: Platform
}

function checkComposition(composition: JsonObject, reinstall: string | undefined): CheckedComposition {
  const name = nameOf(composition)
  const step = items(at(composition, 'spec', 'pipeline')).find(
    one => isInput(at(one, 'input')) || textOf(at(one, 'functionRef', 'name')).endsWith(FUNCTION),
  )
  const isOfPackage = items(at(composition, 'metadata', 'ownerReferences')).some(owner => at(owner, 'kind') === 'ConfigurationRevision')
  const inspect = (isOfPackage ? reinstall : undefined) ?? shell`kubectl get composition ${name} -o yaml`
  if (step === undefined) return { name, calls: [], check: wrong('Composition', `${name} has no step that calls the function`, inspect) }
  const called = textOf(at(step, 'functionRef', 'name'))
  const parsed = parsePlatform(at(step, 'input'))
  if (!parsed.ok) {
    const message = `the function input in ${name} is invalid: ${findingsMessage(parsed.findings)}`
    return { name, calls: [called], check: wrong('Composition', message, inspect) }
  }
  return { name, calls: [called], platform: parsed.platform, check: well('Composition', `${name} calls ${called}`) }
}
