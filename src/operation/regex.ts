/**
 * Whether haproxy will take a regular expression. It has PCRE, upstream's API Python's, and here is
 * JavaScript's, so what they read differently is made alike first; what only PCRE refuses is
 * refused by name. It errs towards refusing. Pure.
 */

/** Why not; undefined when it is right. */
export function regexFault(text: string): string | undefined {
  const tokens = tokensOf(text)
  const fault = tokens.map(tokenFault).find((each) => each !== undefined) ?? wholeFault(tokens)
  if (fault !== undefined) return fault
  try {
    new RegExp(tokens.map(asScript).join(''))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What a regular expression consists of; the first form that fits where the last one ended. */
const FORMS = {
  comment: /\(\?#[^)]*\)/y,
  reference: /\(\?P=\w+\)|\\k<\w+>|\\[1-9]/y,
  escape: /\\x[\da-fA-F]{2}|\\./sy,
  class: /\[(?:\^|(?!\^))(?:\]|(?!\]))(?:\\.|[^\]\\])*\]/sy,
  quantifier: /(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?/y,
  open: /\((?:\?(?:<[=!]|P?<[^>]*>|[:=!>]))?/y,
  close: /\)/y,
  other: /./sy,
} as const

interface Token {
  readonly kind: keyof typeof FORMS
  readonly text: string
}

/** Options at the start are the same to all. */
function tokensOf(whole: string): readonly Token[] {
  const text = whole.replace(/^\(\?[imsx]+\)/, '')
  const tokens: Token[] = []
  for (let at = 0; at < text.length; ) {
    for (const [kind, form] of Object.entries(FORMS)) {
      form.lastIndex = at
      const found = form.exec(text)?.[0]
      if (found === undefined) continue
      tokens.push({ kind: kind as Token['kind'], text: found })
      at += found.length
      break
    }
  }
  return tokens
}

/** Letters that mean something to both Python and PCRE after a backslash. */
const ESCAPES = {
  outside: /^\\([aAbBdDfnrsStvwWZ\W\d_]|x..)$/,
  inside: /^\\([abdDfnrsStvwW\W\d_]|x..)$/,
}
const SEVERAL = /^\\[dDwWsS]$/
/** Words of PCRE for classes, or what it takes for such a word. */
const POSIX = /^\[([:.=]).*\1\]$|^\[.*\[[:.=]/s
const REPEATED_MAX = 65_535
const GROUP_NAME = /^[A-Za-z_]\w{0,31}$/

function tokenFault({ kind, text }: Token): string | undefined {
  if (kind === 'escape' && !ESCAPES.outside.test(text)) return `unknown escape ${text}`
  if (kind === 'class') return classFault(text)
  if (text === '[') return 'a character class has no end'
  if (
    kind === 'quantifier' &&
    (text.match(/\d+/g) ?? []).some((each) => Number(each) > REPEATED_MAX)
  )
    return `${text} is more than ${REPEATED_MAX} times`
  const [, name] = kind === 'open' ? (/^\(\?P?<([^=!].*)>$|^\(\?P?<()>$/s.exec(text) ?? []) : []
  if (name !== undefined && !GROUP_NAME.test(name)) return `a group cannot be called ${name}`
  return undefined
}

function classFault(text: string): string | undefined {
  if (POSIX.test(text)) return `a character class cannot have other classes in it: ${text}`
  const atoms = text.slice(1, -1).match(/\\x[\da-fA-F]{2}|\\?./gs) ?? []
  const strange = atoms.find((atom) => atom.length > 1 && !ESCAPES.inside.test(atom))
  if (strange !== undefined) return `unknown escape ${strange} in a character class`
  const range = atoms.some((atom, at) => {
    const [before, after] = [atoms[at - 1] ?? '', atoms[at + 1] ?? '']
    const between = atom === '-' && before !== '' && after !== ''
    return between && (SEVERAL.test(before) || SEVERAL.test(after))
  })
  return range ? `a range in the character class ${text} ends in a class` : undefined
}

/** What one part of it means for another. */
function wholeFault(tokens: readonly Token[]): string | undefined {
  const groups = tokens.filter(
    ({ kind, text }) => kind === 'open' && /^\($|^\(\?P?<[^=!]/.test(text),
  )
  /** Of the groups that are open, whether each looks behind. */
  const open: boolean[] = []
  for (const [at, token] of tokens.entries()) {
    const { kind, text } = token
    if (kind === 'open') open.push(/^\(\?<[=!]/.test(text))
    if (kind === 'close') open.pop()
    if (open.includes(true) && (text === '|' || kind === 'reference' || isVariable(token)))
      return 'what is looked for behind must have one length'
    if (kind === 'quantifier' && tokens[at + 1]?.kind === 'quantifier')
      return `nothing to repeat after ${text}`
    if (kind !== 'reference') continue
    const [named] = /\w+(?=[)>]$)/.exec(text) ?? []
    const there =
      named === undefined
        ? Number(text.slice(1)) <= groups.length
        : groups.some((group) => group.text.replace('P', '') === `(?<${named}>`)
    if (!there) return `reference to group ${named ?? text.slice(1)}, which is not there`
  }
  return undefined
}

function isVariable({ kind, text }: Token): boolean {
  return kind === 'quantifier' && !/^\{\d+\}$/.test(text)
}

const ANCHORS: Readonly<Record<string, string>> = { '\\A': '^', '\\Z': '$' }

function asScript({ kind, text }: Token): string {
  if (kind === 'comment') return ''
  if (kind === 'escape') return ANCHORS[text] ?? text
  if (kind === 'reference') return text.replace(/^\(\?P=(\w+)\)$/, '\\k<$1>')
  // A bracket that begins a class is one of its characters.
  if (kind === 'class') return text.replace(/^\[(\^?)\](?=.)/s, '[$1\\]')
  // A possessive one is for PCRE only, and greedy for others.
  if (kind === 'quantifier') return text.replace(/(?<=.)\+$/s, '')
  return text.replace('(?P<', '(?<').replace('(?>', '(?:')
}
