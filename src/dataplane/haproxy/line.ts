/**
 * Lines of an haproxy configuration. The fixed part of a line is code; whatever is put into it
 * passes one gate, `word`, which lets a value be exactly one word: no value can end its line, add
 * an option or open a quote. Names and descriptions of resources are not rendered at all.
 */
import { assert } from '../../system/assert.ts'
import { joined, Line, lineBy } from '../line.ts'

export { joined, Line }

/** A section: `frontend <name>` and what belongs to it. */
export interface Section {
  readonly head: Line
  readonly lines: readonly Line[]
}

/** line`server ${id} ${address}:${port}`: every value becomes one word, or part of one. */
export const line = lineBy(word)

/**
 * The gate. Blanks and control characters cannot be in a word and are a bug of whoever let them in;
 * what haproxy's tokenizer treats as special (`\`, `#`, quotes) is escaped, because the paths and
 * cookie names that Octavia allows contain it.
 */
export function word(value: string | number): string {
  const text = String(value)
  assert(text !== '', 'a word of a configuration must not be empty')
  assert(!/[\s\u0000-\u001f\u007f-\u009f]/.test(text), 'a word of a configuration must be one word')
  return text.replace(/[\\#'"]/g, '\\$&')
}

/** A word inside `fetch(...)`: its own tokenizer reads it a second time. */
export function argument(value: string): Line {
  return new Line(word(value.replace(/[\\'",()]/g, '\\$&')))
}

/** A text with blanks as one word, for log formats. */
export function phrase(value: string): Line {
  return new Line(value.split(' ').map(emptyOrWord).join('\\ '))
}

function emptyOrWord(value: string): string {
  return value === '' ? '' : word(value)
}

/** The text of all sections, a blank line between them. */
export function printSections(title: Line, sections: readonly Section[]): string {
  const blocks = sections.map((section) =>
    [section.head.text, ...section.lines.map((each) => `    ${each.text}`)].join('\n'),
  )
  return `# ${title.text}\n${blocks.join('\n\n')}\n`
}
