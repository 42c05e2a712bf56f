/**
 * Lines and blocks of a keepalived configuration. keepalived expands `$NAME` and `~SEQ()` in any
 * line, takes `!` and `#` for comments and knows no escape that all its versions share, so the gate
 * lets through only what it never looks at twice.
 */
import { assert } from '../../system/assert.ts'
import { Line, lineBy } from '../line.ts'

/** `head {`, its lines, `}`. */
export interface Block {
  readonly head: Line
  readonly parts: readonly Part[]
}
export type Part = Line | Block

/** Every value becomes one word, or part of one: names, addresses, numbers, paths. */
export const line = lineBy(word)

export function word(value: string | number): string {
  const text = String(value)
  assert(/^[A-Za-z0-9_.:/-]+$/.test(text), 'a word of keepalived has plain characters only')
  return text
}

/** A path of a URL as one quoted word. What keepalived would expand is percent-encoded. */
export function quotedPath(value: string): Line {
  assert(/^[\x21-\x7e]+$/.test(value), 'a path has visible characters only')
  assert(!/["\\{}]/.test(value), 'a path has nothing that ends a quoted word')
  return new Line(`"${value.replaceAll('$', '%24').replaceAll('~', '%7E')}"`)
}

export function print(parts: readonly Part[], indent = ''): string {
  return parts.map((part) => printPart(part, indent)).join('')
}

function printPart(part: Part, indent: string): string {
  if (part instanceof Line) return `${indent}${part.text}\n`
  return `${indent}${part.head.text} {\n${print(part.parts, `${indent}    `)}${indent}}\n`
}
