// The editor: CodeMirror with the schema's fields and the validator's findings.
import {
  acceptCompletion,
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
  startCompletion,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { indentUnit, syntaxHighlighting } from '@codemirror/language'
import { type Action, type Diagnostic, forEachDiagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { EditorState, type Text } from '@codemirror/state'
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
  type Tooltip,
} from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import type { Schema } from '../../../src/claim/schema.ts'
import { element } from '../dom.ts'
import type { Problem } from './engine.ts'
import { afterKey, fieldsOf, schemaAt, typeOf, valuesOf } from './fields.ts'
import { keyAt, keysAround, typingAt } from './place.ts'

export interface EditorSettings {
  readonly parent: HTMLElement
  /** For screen readers. */
  readonly label: string
  readonly text: string
  /** Undefined for a text without a schema. */
  readonly schema?: () => Schema
  /** Called after each change of the text. */
  readonly onChange: (text: string) => void
}

export interface Editor {
  readonly view: EditorView
  text(): string
  setText(text: string): void
  showProblems(problems: readonly Problem[]): void
  /** Puts the cursor to a place and shows it. Counted from 1. */
  goTo(line: number, column: number): void
  /** Puts the cursor to a field. */
  goToField(path: string): void
  /** Replaces the word of a problem by its fix. */
  applyFix(problem: Problem): void
}

export function createEditor({ parent, label, text, schema, onChange }: EditorSettings): Editor {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        drawSelection(),
        EditorView.lineWrapping,
        history(),
        indentUnit.of('  '),
        EditorState.tabSize.of(2),
        yaml(),
        syntaxHighlighting(classHighlighter),
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
        lintGutter(),
        ...(schema === undefined ? [] : withSchema(schema)),
        // The key Tab leaves the editor, so that the page works without a pointer; in a list of completions it accepts one.
        keymap.of([
          { key: 'Tab', run: acceptCompletion },
          { key: 'Alt-Enter', run: fixHere },
          ...completionKeymap,
          ...lintKeymap,
          ...defaultKeymap,
          ...historyKeymap,
        ]),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) onChange(state.doc.toString())
        }),
      ],
    }),
  })
  const editor: Editor = {
    view,
    text: () => view.state.doc.toString(),
    setText(next) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: 0 }, scrollIntoView: true })
    },
    showProblems(problems) {
      view.dispatch(
        setDiagnostics(
          view.state,
          problems.map(problem => diagnosticOf(problem, view.state.doc)),
        ),
      )
    },
    goTo(line, column) {
      const { from } = rangeAt(view.state.doc, line, column)
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
      view.focus()
    },
    goToField(path) {
      const place = keysAround(linesOf(view.state.doc), 0).find(key => fieldName(key.path) === path)
      if (place !== undefined) editor.goTo(place.line + 1, place.from + 1)
    },
    applyFix: problem => fix(view, problem),
  }
  return editor
}

const withSchema = (schema: () => Schema) => [
  autocompletion({ override: [context => complete(context, schema())], icons: false }),
  hoverTooltip((view, position) => explain(view.state.doc, position, schema())),
]

const linesOf = (doc: Text) => Array.from(doc.iterLines())

/** `spec.env[].name`, as the reference writes it. */
const fieldName = (path: readonly (string | number)[]) =>
  path.reduce<string>((name, step) => (typeof step === 'number' ? `${name}[]` : name === '' ? step : `${name}.${step}`), '')

// A quoted text, or everything until a comment, the end of a key, an item or the line.
const WORD = /^"(?:[^"\\]|\\.)*"|^'(?:[^']|'')*'|^[^#]*?(?=\s*(?::(?:\s|$)|\s#|$|[,\]}]))/

/** The word at a place that a finding names. */
function rangeAt(doc: Text, line: number, column: number): { from: number; to: number } {
  const { from, text } = doc.line(Math.min(Math.max(1, line), doc.lines))
  const start = Math.min(column - 1, text.length)
  const length = WORD.exec(text.slice(start))?.[0].length ?? 0
  return { from: from + start, to: from + start + length }
}

function diagnosticOf(problem: Problem, doc: Text): Diagnostic {
  const { severity, message, code } = problem
  const action: Action | undefined = isFixable(problem, doc) ? { name: `Use ${problem.fix}`, apply: view => fix(view, problem) } : undefined
  return { ...rangeAt(doc, problem.line, problem.column), severity, message, source: code, ...(action && { actions: [action] }) }
}

const unquoted = (text: string) => text.replace(/^(["'])(.*)\1$/, '$2')

export const isFixable = (problem: Problem, doc: Text): boolean => {
  const { from, to } = rangeAt(doc, problem.line, problem.column)
  return problem.fix !== undefined && unquoted(doc.sliceString(from, to)) === problem.found
}

function fix(view: EditorView, problem: Problem): void {
  if (problem.fix === undefined || !isFixable(problem, view.state.doc)) return
  const { from, to } = rangeAt(view.state.doc, problem.line, problem.column)
  view.dispatch({ changes: { from, to, insert: problem.fix }, selection: { anchor: from + problem.fix.length } })
  view.focus()
}

/** Applies the suggestion of the line with the cursor. */
function fixHere(view: EditorView): boolean {
  const { doc, selection } = view.state
  const line = doc.lineAt(selection.main.head)
  const actions: Action[] = []
  let at = 0
  forEachDiagnostic(view.state, (diagnostic, from) => {
    const [action] = diagnostic.actions ?? []
    if (action === undefined || from < line.from || from > line.to) return
    actions.push(action)
    at = from
  })
  actions[0]?.apply(view, at, at)
  return actions.length > 0
}

function complete({ state, pos, explicit }: CompletionContext, schema: Schema): CompletionResult | null {
  const lines = linesOf(state.doc)
  const line = state.doc.lineAt(pos)
  const typing = typingAt(lines, line.number - 1, pos - line.from)
  if (typing === undefined) return null
  const from = line.from + typing.from
  const below = schemaAt(schema, typing.path)
  if (typing.kind === 'value') {
    const values = valuesOf(below)
    if (values.length === 0 || (!explicit && below?.enum === undefined && below?.type !== 'boolean')) return null
    return { from, options: values.map(value => ({ label: value, ...(below && { info: () => describe(below) }) })), validFor: /^\S*$/ }
  }
  if (!explicit && typing.word === '' && !/^\s/.test(line.text)) return null
  if (below?.items === undefined && below?.properties === undefined) {
    const values = valuesOf(below)
    return values.length === 0 ? null : { from, options: values.map(label => ({ label })) }
  }
  const name = fieldName(typing.path)
  const present = new Set(
    keysAround(lines, line.number - 1)
      .filter(({ path, line: own }) => own !== line.number - 1 && isChildOf(path, typing.path))
      .map(({ path }) => String(path.at(-1))),
  )
  const isLast = /^\s*$/.test(line.text.slice(pos - line.from))
  const options = fieldsOf(below, present).map(
    ({ name: field, schema: of, required }): Completion => ({
      label: field,
      detail: required ? 'required' : '',
      boost: required ? 1 : 0,
      info: () => describe(of, name === '' ? field : `${name}.${field}`),
      apply(view, _, start, end) {
        const text = field + (isLast ? afterKey(of, typing.from) : '')
        view.dispatch({ changes: { from: start, to: end, insert: text }, selection: { anchor: start + text.length } })
        if (isLast) startCompletion(view)
      },
    }),
  )
  return options.length === 0 ? null : { from, options, validFor: /^\w*$/ }
}

const isChildOf = (path: readonly (string | number)[], parent: readonly (string | number)[]) =>
  path.length === parent.length + 1 && parent.every((step, index) => path[index] === step)

function explain(doc: Text, position: number, schema: Schema): Tooltip | null {
  const line = doc.lineAt(position)
  const key = keyAt(linesOf(doc), line.number - 1, position - line.from)
  const below = key && schemaAt(schema, key.path)
  if (key === undefined || below === undefined) return null
  return {
    pos: line.from + key.from,
    end: line.from + key.to,
    above: true,
    create: () => ({ dom: describe(below, fieldName(key.path)) }),
  }
}

/** A field as the reference describes it. */
function describe(schema: Schema, name?: string): HTMLElement {
  const { description = '', default: standard, examples = [] } = schema
  const facts = [
    typeOf(schema),
    ...(standard === undefined || typeof standard === 'object' ? [] : [`default ${standard}`]),
    ...(examples[0] === undefined || typeof examples[0] === 'object' ? [] : [`such as ${examples[0]}`]),
  ]
  return element(
    'div',
    { class: 'field' },
    name !== undefined && element('code', {}, name),
    element('p', {}, description),
    element('p', { class: 'facts' }, facts.join(' · ')),
  )
}
