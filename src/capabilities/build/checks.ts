// Checks that need the platform: it decides what builds images, and where they go.
import type { Spec } from '../../claim/checks.ts'
import type { Finding } from '../../claim/findings.ts'
import type { Platform } from '../../platform/platform.ts'

export function checkBuild({ build }: Spec, _name: string, platform: Platform): Finding[] {
  if (build === undefined) return []
  if (platform.build === undefined) {
    const problem = "is not supported here: ask the platform team to install Shipwright and to set build in the function's input"
    return [{ code: 'UNSUPPORTED', path: ['spec', 'build'], problem }]
  }
  return [...unknownLanguage(build, platform.build), ...missingImage(build, platform.build)]
}

type Build = NonNullable<Spec['build']>
type BuildPlatform = NonNullable<Platform['build']>

function unknownLanguage({ language }: Build, { languages = {} }: BuildPlatform): Finding[] {
  if (language === undefined || Object.hasOwn(languages, language)) return []
  const path = ['spec', 'build', 'language']
  const names = Object.keys(languages)
  if (names.length > 0) return [{ code: 'NOT_ALLOWED', path, problem: `must be one of [${names.join(', ')}]`, found: language }]
  const problem = `is not supported here: name a strategy, or ask the platform team to set build.languages.${language} in the function's input`
  return [{ code: 'UNSUPPORTED', path, problem }]
}

function missingImage({ output }: Build, { registry }: BuildPlatform): Finding[] {
  if (registry !== undefined || output?.image !== undefined) return []
  return [{ code: 'REQUIRED', path: ['spec', 'build', 'output', 'image'], problem: 'required: the platform has no registry for builds' }]
}
