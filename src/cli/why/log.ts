// The last lines that a failing container wrote.
import { printable } from '../../text/printable.ts'
import type { Api } from '../doctor/api.ts'
import type { Trouble } from '../doctor/pods.ts'

const MOST_LINES = 10
const LONGEST_LINE = 200

/** A container whose log is worth reading. */
type Logged = Pick<Trouble, 'pod' | 'container' | 'logs' | 'probe'>

/** Empty if no container of a failing pod has run. */
export async function readLog(api: Api, namespace: string, troubles: readonly Logged[]): Promise<string[]> {
  const found = troubles.find(({ container, logs, probe }) => container !== undefined && (logs ?? probe) !== undefined)
  if (found?.container === undefined) return []
  const { pod, container, logs } = found
  const isPrevious = logs === 'previous'
  const query = new URLSearchParams({ container, tailLines: String(MOST_LINES), ...(isPrevious && { previous: 'true' }) })
  const answer = await api.text(`/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}/log?${query}`)
  const title = `log of container ${container} of pod ${pod}${isPrevious ? ' before its restart' : ''}`
  if (!answer.ok) return [`${title}: can't be read: ${answer.reason}`]
  const lines = String(answer.body)
    .split(/\r?\n/)
    .filter(line => line.trim() !== '')
    .slice(-MOST_LINES)
  return lines.length === 0 ? [`${title}: empty`] : [`${title}:`, ...lines.map(shorten)]
}

/** The first characters, because a line of JSON may be a megabyte long. */
const shorten = (line: string): string =>
  line.length > LONGEST_LINE ? `${printable(line.slice(0, LONGEST_LINE).replace(/[\uD800-\uDBFF]$/, ''))}…` : printable(line)
