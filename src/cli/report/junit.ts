// Jenkins, GitLab and others show this format as test results: a suite for each file, a case for each claim.

import { printable } from '../../text/printable.ts'
import type { ReportedFinding } from '../print/findings.ts'
import { type FileReport, type Format, isError, type Outcome } from './file-report.ts'

export const junit: Format = { all: outcome => `<?xml version="1.0" encoding="UTF-8"?>\n${suites(outcome)}` }

interface Case {
  readonly name: string
  readonly findings: readonly ReportedFinding[]
}

function suites({ reports, unreadable, command }: Outcome): string {
  const cases = new Map<string, Case[]>()
  for (const report of reports) cases.set(report.file, [...(cases.get(report.file) ?? []), ...casesOf(report)])
  const files = [...cases].map(([file, cases]) => ({ file, cases }))
  const tests = files.flatMap(({ cases }) => cases)
  const counts = { tests: tests.length + unreadable.length, failures: tests.filter(hasErrors).length, errors: unreadable.length }
  return element('testsuites', { name: `eds ${command}`, ...counts }, [
    ...files.filter(({ cases }) => cases.length > 0).map(({ file, cases }) => suite(file, cases)),
    ...unreadable.map(({ file, reason }) =>
      element('testsuite', { name: file, tests: 1, failures: 0, errors: 1 }, [
        element('testcase', { name: file, classname: file }, [element('error', { message: reason }, [])]),
      ]),
    ),
  ])
}

const hasErrors = ({ findings }: Case) => findings.some(isError)

/** Findings that belong to no claim get a case of their own, so they are not lost. */
const casesOf = ({ claims, findings }: FileReport): Case[] => [...(findings.length > 0 ? [{ name: 'YAML', findings }] : []), ...claims]

const suite = (file: string, cases: readonly Case[]) =>
  element(
    'testsuite',
    { name: file, tests: cases.length, failures: cases.filter(hasErrors).length, errors: 0 },
    cases.map(({ name, findings }) => element('testcase', { name, classname: file, file }, outputs(findings))),
  )

function outputs(findings: readonly ReportedFinding[]): string[] {
  const errors = findings.filter(isError)
  const [first] = errors
  const warnings = findings.filter(finding => !isError(finding))
  return [
    ...(first === undefined ? [] : [element('failure', { message: summary(errors), type: first.code }, [escaped(lines(errors))])]),
    ...(warnings.length === 0 ? [] : [element('system-out', {}, [escaped(lines(warnings))])]),
  ]
}

const summary = ([first, ...others]: readonly ReportedFinding[]) =>
  `${first?.message}${others.length > 0 ? `, and ${others.length} more` : ''}`

const lines = (findings: readonly ReportedFinding[]) =>
  findings
    .map(({ file, line, column, code, message }) => `${printable(file)}:${line}:${column}  ${printable(message)}  [${code}]`)
    .join('\n')

function element(name: string, attributes: Readonly<Record<string, string | number>>, children: readonly string[]): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(printable(String(value)))}"`)
  const open = `<${name}${list.join('')}`
  const [first] = children
  if (first === undefined) return `${open}/>\n`
  // Text is escaped, so only an element starts with '<'. Text must have no line breaks around it.
  return first.startsWith('<') ? `${open}>\n${children.join('')}</${name}>\n` : `${open}>${children.join('')}</${name}>\n`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
// XML forbids these two characters even as entities; printable() has escaped control characters already.
const escaped = (words: string) => words.replace(/[&<>"']/g, sign => entities[sign] ?? sign).replace(/[\uFFFE\uFFFF]/g, '\uFFFD')
