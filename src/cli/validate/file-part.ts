import type { TextFile } from '../files.ts'
import { splitDocuments } from '../yaml/split.ts'

/** A file, or some documents of a large file, to validate separately. */
export interface FilePart extends TextFile {
  /** The line number of the part's first line in the file. */
  readonly firstLine: number
}

/** Short enough to keep memory low, however long a file is. */
export const PART_LENGTH = 64 * 1024

/** Cuts a large file between its documents. */
export function* filePartsOf({ file, text }: TextFile): Generator<FilePart> {
  if (text.length <= PART_LENGTH) return yield { file, text, firstLine: 1 }
  let start = 0
  let firstLine = 1
  for (const segment of splitDocuments(text)) {
    const end = segment.start + segment.text.length
    if (end - start < PART_LENGTH && end < text.length) continue
    const part = text.slice(start, end)
    yield { file, text: part, firstLine }
    start = end
    firstLine += lineBreaksIn(part)
  }
}

const lineBreaksIn = (text: string) => text.split('\n').length - 1 + (text.match(/\r(?!\n)/g)?.length ?? 0)
