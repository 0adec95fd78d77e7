import type { Json } from '../kubernetes/json.ts'
import type { Finding } from './findings.ts'
import { planRules } from './rules.ts'
import { inlined, type Schema } from './schema.ts'
import { compileStructure, normalizer } from './structure.ts'

/** Returns the value as the API server would store it, and all findings. */
export type Validate = (value: Json) => { readonly value: Json; readonly findings: readonly Finding[] }

/** Compiles the structure and the rules of a published schema. */
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
    // A value with the wrong structure also breaks its rules: one finding is enough.
    const reported = new Set(findings.map(pathKey))
    return { value, findings: [...findings, ...broken.filter(finding => !reported.has(pathKey(finding)))] }
  }
}

const pathKey = ({ path }: Finding) => JSON.stringify(path)
