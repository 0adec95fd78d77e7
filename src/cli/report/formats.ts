import type { Output } from '../io.ts'
import type { Format } from './file-report.ts'
import { github } from './github.ts'
import { json, yaml } from './json-yaml.ts'
import { junit } from './junit.ts'
import { sarif } from './sarif.ts'
import { text } from './text.ts'

export const formatNames = ['text', 'json', 'yaml', 'github', 'sarif', 'junit'] as const
export type FormatName = (typeof formatNames)[number]

export const formats = (out: Output): Readonly<Record<FormatName, Format>> => ({ text: text(out), json, yaml, github, sarif, junit })
