// What the tests of the documentation share.

/** The anchors that GitHub makes: of each heading, and those set by hand. */
export function anchorsIn(markdown: string): Set<string> {
  const taken = new Map<string, number>()
  const headings = [...markdown.replaceAll(/^ *(```+|~~~+)[\s\S]*?^ *\1 *$/gm, '').matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*$/gm)].map(
    ([, heading = '']) => {
      const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '')
      const slug = words
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
        .replaceAll(' ', '-')
      const count = taken.get(slug) ?? 0
      taken.set(slug, count + 1)
      return count === 0 ? slug : `${slug}-${count}`
    },
  )
  const set = [...markdown.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)].map(([, id = '']) => id)
  return new Set([...headings, ...set])
}

/** The document with another text between `<!-- name -->` and `<!-- /name -->`. */
export function withBlock(document: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const from = document.indexOf(start)
  const to = document.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`there is no block ${name}`)
  return `${document.slice(0, from)}${start}${content}\n${document.slice(to)}`
}

/** The rows of the tables below a heading, without their heads; each cell as it is written. */
export function rowsUnder(markdown: string, heading: string): string[][] {
  const section = markdown.split(/^(?=#{1,6} )/m).find(part => part.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`there is no heading '${heading}'`)
  const lines = section.split('\n').filter(line => line.startsWith('|'))
  const cells = (line: string) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map(cell => cell.trim())
  return lines.filter((line, at) => !/^\|[-|]+\|$/.test(line) && !/^\|[-|]+\|$/.test(lines[at + 1] ?? '')).map(cells)
}
