import type { Finding } from '../../claim/findings.ts'
import { at, items, type JsonObject, nonEmptyText } from '../../kubernetes/json.ts'
import type { SourceDocument } from '../yaml/source.ts'

interface First {
  /** `shop/orders` */
  readonly claim: string
  /** `claims/orders.yaml:13:7` */
  readonly place: string
}

/** Remembers the hosts of every claim, and finds those that another claim has. Two versions of one claim may share them. */
export function sameHostFinder(): (claim: string, value: JsonObject, document: SourceDocument) => Finding[] {
  const firsts = new Map<string, First>()
  return (claim, value, { file, locate }) =>
    items(at(value, 'spec', 'mesh', 'hosts')).flatMap((entry, index): Finding[] => {
      const host = nonEmptyText(entry)
      if (host === undefined) return []
      const path = ['spec', 'mesh', 'hosts', index]
      const first = firsts.get(host)
      if (first !== undefined) {
        if (first.claim === claim) return []
        const problem = `claim ${first.claim} has the same host (${first.place}): in one cluster it is undefined which of them gets its requests`
        return [{ code: 'SAME_HOST', path, problem, found: host }]
      }
      const { line, column } = locate(path, 'value')
      firsts.set(host, { claim, place: `${file}:${line}:${column}` })
      return []
    })
}
