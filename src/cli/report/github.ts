// https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
import { printable } from '../../text/printable.ts'
import { type Format, findingsOf } from './file-report.ts'

/** Annotates the lines of a pull request. */
export const github: Format = {
  each: report =>
    findingsOf(report)
      .map(({ file, line, column, code, message, severity }) => {
        const properties = { file, line, col: column, title: code }
        const list = Object.entries(properties).map(([name, value]) => `${name}=${property(String(value))}`)
        return `::${severity} ${list.join(',')}::${data(printable(message))}\n`
      })
      .join(''),
}

const escapes: Readonly<Record<string, string>> = { '%': '%25', '\r': '%0D', '\n': '%0A', ':': '%3A', ',': '%2C' }
const data = (text: string) => text.replace(/[%\r\n]/g, sign => escapes[sign] ?? sign)
const property = (text: string) => text.replace(/[%\r\n:,]/g, sign => escapes[sign] ?? sign)
