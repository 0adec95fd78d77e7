import type { Json } from '../kubernetes/json.ts'
import type { Finding } from './findings.ts'
import { planRules } from './rules.ts'
import { inlined, type Schema } from './schema.ts'
import { compileStructure, normalizer } from './structure.ts'

/** The value as the API server would keep it, and everything that is wrong with it. */
export type Validate = (value: Json) => { readonly value: Json; readonly findings: readonly Finding[] }

/** Compiles a published schema, structure and rules, once. */
export function compileValidator(published: Schema): Validate {
  const schema = inlined(published)
  const structure = compileStructure(published, schema)
  const rules = planRules(schema)
  const normalize = normalizer(schema)
  return raw => {
    const value = normalize(raw)
    const findings = structure(value)
    const broken: Finding[] = []
    rules?.(value, [], broken)
    // What has the wrong form also breaks the rules about it. Once said is enough.
    const reported = new Set(findings.map(pathKey))
    return { value, findings: [...findings, ...broken.filter(finding => !reported.has(pathKey(finding)))] }
  }
}

const pathKey = ({ path }: Finding) => JSON.stringify(path)
