// The health scripts of package/gitops and package/mesh, and Argo CD's own Lua engine that runs them.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { at, isObject, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import { root } from '../../fixtures/claim-files.ts'
import { goTool } from '../go-tools.ts'

const PREFIX = 'resource.customizations.health.'

/** The scripts by group/Kind, as Argo CD reads its ConfigMap. */
export function healthScripts(file = 'package/gitops/argocd/argocd-cm.yaml'): Readonly<Record<string, string>> {
  const data: unknown = at(parse(readFileSync(`${root}${file}`, 'utf8')), 'data')
  const entries = Object.entries(isObject(data) ? data : {}).filter(([key]) => key.startsWith(PREFIX))
  return Object.fromEntries(entries.map(([key, script]) => [key.slice(PREFIX.length).replace('_', '/'), textOf(script)]))
}

export interface Verdict {
  readonly status?: string
  readonly message?: string
  readonly error?: string
}

/** The health of each object; null where Argo CD has no script. */
export async function judge(objects: readonly JsonObject[], scripts = healthScripts()): Promise<readonly (Verdict | null)[]> {
  const engine = await goTool('gitops/lua')
  const input = JSON.stringify({ scripts, objects })
  return JSON.parse(execFileSync(engine, [], { input, encoding: 'utf8', maxBuffer: 1 << 26 })) as (Verdict | null)[]
}
