/**
 * What an operator adds to the configuration of every load balancer: [haproxy_amphora]
 * haproxy_template. Upstream's file of that name is a Jinja template which replaces its own; this
 * one is text of haproxy, whose lines go to the end of every section of the same kind. Pure.
 */
import { isInternalProxy } from './internal.ts'
import { Line, type Section } from './line.ts'

export const ADDITION_KINDS = ['global', 'defaults', 'frontend', 'backend'] as const
type Kind = (typeof ADDITION_KINDS)[number]
export type Additions = Partial<Readonly<Record<Kind, readonly string[]>>>

/** The file is not what it should be; the message says which line. */
export class AdditionsError extends Error {
  override readonly name = 'AdditionsError'
}

export function parseAdditions(text: string): Additions {
  const additions: Partial<Record<Kind, string[]>> = {}
  let kind: Kind | undefined
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd()
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    const where = `line ${at + 1}`
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(line))
      throw new AdditionsError(`${where} has control characters`)
    if (/^\s/.test(line)) {
      if (kind === undefined) throw new AdditionsError(`${where} stands before any section`)
      additions[kind] = [...(additions[kind] ?? []), line.trim()]
      continue
    }
    kind = ADDITION_KINDS.find((each) => each === line)
    if (kind === undefined)
      throw new AdditionsError(
        `${where} must be one of ${ADDITION_KINDS.join(', ')} without a name, or be indented`,
      )
  }
  return additions
}

/** Sections which nobody has asked for stay as they are. */
export function withAdditions(section: Section, additions: Additions): Section {
  const [word = '', name = ''] = section.head.text.split(' ')
  const kind = ADDITION_KINDS.find((each) => each === word)
  const lines = kind === undefined || isInternalProxy(name) ? undefined : additions[kind]
  if (lines === undefined) return section
  return { ...section, lines: [...section.lines, ...lines.map((text) => new Line(text))] }
}
