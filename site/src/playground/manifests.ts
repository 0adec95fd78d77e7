// eds migrate and eds import in the page: manifests in, a claim out.
import { sentence } from '../../../src/claim/findings.ts'
import { toYaml } from '../../../src/cli/print/manifests.ts'
import { readSource } from '../../../src/cli/yaml/source.ts'
import type { Row } from '../../../src/convert/compare.ts'
import { importKnative } from '../../../src/convert/import-knative.ts'
import { isMigrated, migrate } from '../../../src/convert/migrate.ts'
import type { Step } from '../../../src/convert/steps.ts'
import { isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import { groupKindOf } from '../../../src/kubernetes/objects.ts'
import type { Platform } from '../../../src/platform/platform.ts'

export interface Converted {
  readonly claim?: string
  /** What keeps the manifests from becoming a claim, or what is lost. */
  readonly notes: readonly string[]
  readonly rows: readonly Row[]
  readonly steps: readonly Step[]
}

const nothing = { notes: [], rows: [], steps: [] }

export function convert(text: string, platform: Platform): Converted {
  const { documents, findings } = readSource('manifests', text)
  if (findings.length > 0) return { ...nothing, notes: findings.map(finding => `line ${finding.line}: ${sentence(finding)}`) }
  const manifests = documents.map(({ value }) => value).filter(isObject)
  const isKnative = manifests.some(manifest => groupKindOf(manifest) === 'serving.knative.dev/Service')
  return isKnative ? ofKnative(manifests, platform) : ofDeployment(manifests, platform)
}

function ofKnative(manifests: readonly JsonObject[], platform: Platform): Converted {
  const imported = importKnative(manifests, platform)
  if (!imported.ok) return { ...nothing, notes: imported.findings.map(sentence) }
  const notes = imported.unsaid.map(({ object, path, problem }) => `${object}: ${sentence({ code: 'UNSUPPORTED', path, problem })}`)
  return { ...nothing, claim: toYaml(imported.claim), notes }
}

function ofDeployment(manifests: readonly JsonObject[], platform: Platform): Converted {
  const migrated = migrate(manifests, platform, { adopt: true })
  if (!migrated.ok) return { ...nothing, notes: migrated.findings.map(sentence) }
  const skipped = manifests.filter(manifest => !isMigrated(manifest))
  const notes = skipped.map(({ kind, metadata }) => `${kind} ${isObject(metadata) ? metadata.name : ''} stays as it is.`)
  return { claim: toYaml(migrated.claim), notes, rows: migrated.rows, steps: migrated.steps }
}
