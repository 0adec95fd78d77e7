// Colours YAML that is only read.
import { yamlLanguage } from '@codemirror/lang-yaml'
import { classHighlighter, highlightCode } from '@lezer/highlight'
import { element } from '../dom.ts'

/** The lines of a YAML text; those that changed are marked. */
export function highlighted(text: string, changed: ReadonlySet<number> = new Set()): HTMLElement[] {
  const lines: HTMLElement[] = []
  let line = element('span', { class: 'line' })
  const finish = () => {
    if (changed.has(lines.length)) {
      line.classList.add('changed')
      line.title = 'changed by the last edit'
    }
    line.append('\n')
    lines.push(line)
    line = element('span', { class: 'line' })
  }
  highlightCode(
    text.replace(/\n$/, ''),
    yamlLanguage.parser.parse(text),
    classHighlighter,
    (code, classes) => line.append(classes === '' ? code : element('span', { class: classes }, code)),
    finish,
  )
  finish()
  return lines
}
