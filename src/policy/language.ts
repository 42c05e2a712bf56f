/**
 * The language of rules, as oslo.policy reads it: `role:`, `rule:`, `is_admin:`, comparisons such as
 * `project_id:%(project_id)s`, `and`, `or`, `not`, parentheses, `@` (everybody) and `!` (nobody).
 * `and` binds tighter than `or`. Text to a tree; what oslo.policy would log and refuse at run time
 * is an error here. Pure.
 */

/** A part of a comparison: text as it is, or an attribute of the target. */
export type Part = { readonly text: string } | { readonly target: string }

export type Check =
  | { readonly kind: 'always'; readonly allowed: boolean }
  | { readonly kind: 'and' | 'or'; readonly checks: readonly Check[] }
  | { readonly kind: 'not'; readonly check: Check }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'role'; readonly parts: readonly Part[] }
  | { readonly kind: 'is_admin'; readonly expected: boolean }
  /** `left` is a literal, as text, or the attribute of the caller. */
  | {
      readonly kind: 'compare'
      readonly left: { readonly literal: string } | { readonly attribute: Attribute }
      readonly parts: readonly Part[]
    }

/** What rules can say about a caller; some names are of older releases. */
export const ATTRIBUTES = [
  'project_id',
  'tenant',
  'user_id',
  'user',
  'system_scope',
  'system',
  'domain_id',
] as const
export type Attribute = (typeof ATTRIBUTES)[number]

/** The rule cannot be read; `message` is one clause. */
export class RuleSyntaxError extends Error {
  override readonly name = 'RuleSyntaxError'
}

/** A rule as text, or as the lists of older files: alternatives, each of checks that all hold. */
export function parseRule(rule: unknown): Check {
  if (typeof rule === 'string') return parseText(rule)
  if (!Array.isArray(rule)) throw new RuleSyntaxError('a rule is a string')
  if (rule.length === 0) return { kind: 'always', allowed: true }
  return {
    kind: 'or',
    checks: rule.map((all: unknown): Check => {
      const texts: unknown[] = Array.isArray(all) ? all : [all]
      return { kind: 'and', checks: texts.map((each) => parseCheck(expectText(each))) }
    }),
  }
}

function expectText(value: unknown): string {
  if (typeof value !== 'string') throw new RuleSyntaxError('a rule has only strings')
  return value
}

function parseText(text: string): Check {
  const tokens = tokenize(text)
  // An empty rule allows everybody, as upstream.
  if (tokens.length === 0) return { kind: 'always', allowed: true }
  let at = 0
  const isNext = (word: string): boolean => tokens[at]?.toLowerCase() === word

  function operands(operator: 'and' | 'or', next: () => Check): Check {
    const checks = [next()]
    while (isNext(operator)) {
      at++
      checks.push(next())
    }
    const [only] = checks
    return checks.length === 1 && only !== undefined ? only : { kind: operator, checks }
  }
  const alternatives = (): Check => operands('or', conjunction)
  const conjunction = (): Check => operands('and', single)
  function single(): Check {
    const token = tokens[at++]
    if (token === undefined) throw new RuleSyntaxError('it ends where a check is expected')
    if (token.toLowerCase() === 'not') return { kind: 'not', check: single() }
    if (token === '(') {
      const inner = alternatives()
      if (tokens[at++] !== ')') throw new RuleSyntaxError("a ')' is missing")
      return inner
    }
    if (token === ')' || /^(and|or)$/i.test(token))
      throw new RuleSyntaxError(`'${token}' where a check is expected`)
    return parseCheck(token)
  }

  const check = alternatives()
  if (at < tokens.length)
    throw new RuleSyntaxError(`'and' or 'or' is missing before '${tokens[at]}'`)
  return check
}

/** Parentheses stand at the ends of words: inside one they belong to `%(name)s`. */
function tokenize(text: string): string[] {
  return text.split(/\s+/).flatMap((word) => {
    const [, opening = '', check = '', closing = ''] = /^(\(*)(.*?)(\)*)$/.exec(word) ?? []
    return [...opening, ...(check === '' ? [] : [check]), ...closing]
  })
}

function parseCheck(token: string): Check {
  if (token === '@' || token === '!') return { kind: 'always', allowed: token === '@' }
  const colon = token.indexOf(':')
  if (colon < 1) throw new RuleSyntaxError(`'${token}' is no check: role:NAME, rule:NAME, @ or !`)
  const kind = token.slice(0, colon)
  const match = token.slice(colon + 1)
  switch (kind) {
    case 'rule':
      return { kind, name: match }
    case 'role':
      return { kind, parts: parseParts(match) }
    case 'is_admin':
      return { kind, expected: match.toLowerCase() === 'true' }
    case 'http':
    case 'https':
      throw new RuleSyntaxError('rules on another server are not supported')
    default:
      return { kind: 'compare', left: parseLeft(kind), parts: parseParts(match) }
  }
}

function parseLeft(kind: string): { literal: string } | { attribute: Attribute } {
  const quoted = /^(['"])(.*)\1$/.exec(kind)?.[2]
  if (quoted !== undefined) return { literal: quoted }
  if (/^(True|False|None|-?\d+)$/.test(kind)) return { literal: kind }
  const attribute = ATTRIBUTES.find((each) => each === kind)
  if (attribute !== undefined) return { attribute }
  throw new RuleSyntaxError(
    `'${kind}' is nothing a rule can ask; it can ask ${ATTRIBUTES.join(', ')}`,
  )
}

function parseParts(text: string): Part[] {
  const parts: Part[] = []
  for (const [index, part] of text.split(/%\(([^)]*)\)s/).entries())
    if (index % 2 === 1) parts.push({ target: part })
    else if (part !== '') parts.push({ text: part })
  return parts
}
