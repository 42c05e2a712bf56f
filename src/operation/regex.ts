/**
 * Whether haproxy will take a regular expression. It has PCRE, upstream's API Python's, and here is
 * JavaScript's, so what they read differently is made alike first; what only PCRE refuses is
 * refused by name. It errs towards refusing. Pure.
 */

/** Why not; undefined when it is right. */
export function regexFault(text: string): string | undefined {
  const read = readAsScript(text)
  if ('fault' in read) return read.fault
  try {
    new RegExp(read.script)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

type Read = { readonly script: string } | { readonly fault: string }

/** Of a backslash and this letter PCRE knows nothing, or not what others take it for. */
const UNKNOWN_ESCAPES = 'FiIjJlLmMNOqTuUyY'
const QUANTIFIER = /^([*+?]|\{\d+(?:,\d*)?\})([?+]?)/
const CLASS_ESCAPES = 'dDwWsShHvV'

function readAsScript(text: string): Read {
  const plain = text
    .replace(/^\(\?[aiLmsux]+\)/, '')
    .replace(/\(\?#[^)]*\)/g, '')
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replaceAll('(?>', '(?:')
  let [script, groups, highest] = ['', 0, 0]
  /** Where the first character of a class stands; undefined outside of classes. */
  let first: number | undefined
  for (let at = 0; at < plain.length; at++) {
    const [letter = '', next = ''] = [plain[at], plain[at + 1]]
    const repeated = first === undefined ? QUANTIFIER.exec(plain.slice(at)) : null
    if (letter === '\\') {
      if (UNKNOWN_ESCAPES.includes(next)) return { fault: `unknown escape \\${next}` }
      if (first === undefined && /[1-9]/.test(next)) highest = Math.max(highest, Number(next))
      if (first !== undefined && isRangeEnd(plain, at, first))
        return { fault: `a range in a character class ends in \\${next}` }
      script += letter + next
      at++
    } else if (repeated !== null) {
      const [whole, quantifier = '', more = ''] = repeated
      if (/[*+?]/.test(plain[at + whole.length] ?? ''))
        return { fault: `nothing to repeat after ${whole}` }
      // A possessive one is for PCRE only, and greedy for others.
      script += more === '?' ? whole : quantifier
      at += whole.length - 1
    } else if (first === undefined && letter === '[') {
      script += next === '^' ? '[^' : '['
      if (next === '^') at++
      first = at + 1
    } else if (first !== undefined && letter === ']' && at !== first) {
      script += letter
      first = undefined
    } else {
      // A bracket that begins a class is one of its characters.
      script += letter === ']' && at === first ? '\\]' : letter
      if (first === undefined && letter === '(' && /^\((?!\?)|^\(\?<(?![=!])/.test(plain.slice(at)))
        groups++
    }
  }
  if (highest > groups) return { fault: `reference to group ${highest}, which is not there` }
  return { script }
}

/** `[\w-z]` and `[a-\w]`. */
function isRangeEnd(text: string, at: number, first: number): boolean {
  if (!CLASS_ESCAPES.includes(text[at + 1] ?? ' ')) return false
  const begins = text[at + 2] === '-' && text[at + 3] !== ']'
  const ends = text[at - 1] === '-' && at - 1 > first && text[at - 2] !== '\\'
  return begins || ends
}
