/**
 * The form of octavia.conf: sections of `name = value` lines, as oslo.config reads them. Pure.
 * Source: oslo_config/iniparser.py, and the substitution of `$name` in oslo_config/cfg.py.
 */

export interface OsloLine {
  readonly section: string
  readonly option: string
  readonly value: string
  /** From 1. */
  readonly line: number
}

export type OsloFile = { readonly lines: readonly OsloLine[] } | { readonly error: string }

/** Every assignment in its order; an option that is set again counts from its last time on. */
export function parseOsloFile(text: string): OsloFile {
  const lines: OsloLine[] = []
  let section: string | null = null
  let open = false
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    const content = raw.trimEnd()
    const head = /^\[(.*)\]$/.exec(content)
    if (content === '') open = false
    else if (/^[#;]/.test(content)) continue
    else if (/^\s/.test(content)) {
      const last = lines.at(-1)
      if (!open || last === undefined)
        return { error: `line ${line} goes on with a value that never began` }
      lines[lines.length - 1] = { ...last, value: `${last.value}\n${content.trim()}` }
    } else if (head !== null) {
      section = head[1] ?? ''
      if (section === '') return { error: `line ${line}: a section without a name` }
      open = false
    } else {
      const at = content.search(/[=:]/)
      if (at < 1) return { error: `line ${line} is neither a section nor name = value` }
      if (section === null) return { error: `line ${line} comes before the first [section]` }
      const value = unquoted(content.slice(at + 1).trim())
      lines.push({ section, option: content.slice(0, at).trim(), value, line })
      open = true
    }
  }
  return { lines }
}

function unquoted(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value)
  return quoted?.[2] ?? value
}

/**
 * The value with `$name`, `${name}` and `${section.name}` filled in from the same file; undefined
 * when one is not there, or leads back to itself.
 */
export function substituted(all: readonly OsloLine[], line: OsloLine): string | undefined {
  return fill(all, line, new Set())
}

function fill(
  all: readonly OsloLine[],
  { section, option, value }: OsloLine,
  above: ReadonlySet<string>,
): string | undefined {
  const here = `${section}.${option}`
  if (above.has(here)) return undefined
  let missing = false
  const text = value.replace(
    /\$(?:\$|([A-Za-z_][\w.]*)|\{([\w.]+)\})/g,
    (whole, bare: string | undefined, braced: string | undefined) => {
      const name = bare ?? braced
      if (name === undefined) return '$'
      const target = find(all, section, name)
      const found = target && fill(all, target, new Set([...above, here]))
      missing ||= found === undefined
      return found ?? whole
    },
  )
  return missing ? undefined : text
}

function find(all: readonly OsloLine[], section: string, name: string): OsloLine | undefined {
  const [group, option] = name.includes('.') ? name.split('.') : [undefined, name]
  const places = group === undefined ? [section, 'DEFAULT'] : [group]
  for (const place of places) {
    const found = all.findLast((each) => each.section === place && each.option === option)
    if (found !== undefined) return found
  }
  return undefined
}
