/**
 * Rules to predicates, once at start: a check afterwards is a few function calls. Overrides of an
 * operator replace rules by name and may add names of their own. Pure.
 */
import { nearest } from '../config/nearest.ts'
import { present } from '../system/assert.ts'
import { type Attribute, type Check, type Part, parseRule, RuleSyntaxError } from './language.ts'
import { BASE_RULES, type BaseRule, fullName, METHOD_RULES, PREFIX, RULES } from './rules.ts'

export interface Subject {
  readonly user_id?: string | null
  readonly project_id: string | null
  readonly roles: readonly string[]
  /** Everything is allowed, whatever the roles: nobody has to prove who he is. */
  readonly is_admin: boolean
  /** `all`, for a token of the whole system. */
  readonly system_scope?: string | null
  /** For a token of a domain. */
  readonly domain_id?: string | null
}

/** A rule of a policy file, and where it stands, for messages. */
export interface Override {
  /** Text, or the lists of older files. */
  readonly rule: unknown
  /** `FILE:LINE`. */
  readonly where: string
}
export type Overrides = ReadonlyMap<string, Override>

export interface PolicyOptions {
  readonly overrides: Overrides
  readonly enforce_scope: boolean
  readonly enforce_new_defaults: boolean
}

/** The rules cannot be used; each problem is one line with file, line and rule. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** What a check is asked about. `is_admin` is the answer of context_is_admin. */
export interface Question {
  readonly subject: Subject
  /** undefined: all projects, which nobody owns. */
  readonly project_id: string | null | undefined
  readonly is_admin: boolean
}
export type Predicate = (question: Question) => boolean

/** One rule as it counts. */
export interface EffectiveRule {
  readonly name: string
  readonly text: string
  /** null for a default. */
  readonly where: string | null
}

export interface Compiled {
  readonly predicates: ReadonlyMap<string, Predicate>
  readonly effective: readonly EffectiveRule[]
}

/** Throws PolicyError with every problem found. */
export function compileRules(options: PolicyOptions): Compiled {
  const { overrides } = options
  const defaults = defaultRules(options.enforce_new_defaults)
  const problems: string[] = []
  const trees = new Map<string, Check>()
  for (const [name, text] of defaults) if (!overrides.has(name)) trees.set(name, parseRule(text))
  for (const [name, { rule, where }] of overrides)
    try {
      trees.set(name, parseRule(rule))
    } catch (error) {
      if (!(error instanceof RuleSyntaxError)) throw error
      problems.push(`${where}: ${name}: ${error.message}`)
      trees.set(name, { kind: 'always', allowed: false })
    }
  problems.push(...unknownNames(overrides, defaults, trees), ...badReferences(overrides, trees))
  if (problems.length > 0) throw new PolicyError(problems)
  const predicates = new Map<string, Predicate>()
  for (const [name, tree] of trees) predicates.set(name, predicateOf(tree, predicates))
  const effective = [...trees.keys()].map((name) => {
    const override = overrides.get(name)
    return {
      name,
      text: override === undefined ? (defaults.get(name) ?? '') : ruleText(override.rule),
      where: override?.where ?? null,
    }
  })
  return { predicates, effective }
}

function ruleText(rule: unknown): string {
  return typeof rule === 'string' ? rule.replace(/\s+/g, ' ').trim() : JSON.stringify(rule)
}

/** Every rule by its full name, in the order of the table. */
export function defaultRules(enforce_new_defaults: boolean): ReadonlyMap<string, string> {
  const rules = new Map<string, string>()
  const base: Readonly<Record<string, BaseRule>> = BASE_RULES
  for (const [name, { check, deprecated }] of Object.entries(base)) {
    const old = enforce_new_defaults || deprecated === undefined ? null : deprecated
    rules.set(name, old === null ? check : `(${check}) or (${old})`)
  }
  for (const [name, method] of Object.entries(RULES))
    rules.set(fullName(name as keyof typeof RULES), METHOD_RULES[method])
  return rules
}

/**
 * A file may add rules for its own use; one that nothing refers to is a misspelt name, which would
 * leave a default in force that the operator meant to change.
 */
function unknownNames(
  overrides: Overrides,
  defaults: ReadonlyMap<string, string>,
  trees: ReadonlyMap<string, Check>,
): string[] {
  const referred = new Set([...trees.values()].flatMap((tree) => [...references(tree)]))
  return [...overrides].flatMap(([name, { where }]) => {
    // oslo.policy asks `default` about actions without a rule, and there are none.
    if (defaults.has(name) || name === 'default') return []
    if (!name.startsWith(PREFIX) && referred.has(name)) return []
    return [`${where}: there is no rule ${name}${didYouMean(name, defaults.keys())}`]
  })
}

function badReferences(overrides: Overrides, trees: ReadonlyMap<string, Check>): string[] {
  const problems: string[] = []
  for (const [name, tree] of trees)
    for (const target of references(tree)) {
      const where = overrides.get(name)?.where
      const prefix = where === undefined ? name : `${where}: ${name}`
      if (!trees.has(target))
        problems.push(`${prefix}: there is no rule:${target}${didYouMean(target, trees.keys())}`)
      else if (reaches(target, name, trees, new Set()))
        problems.push(`${prefix}: rule:${target} leads back to ${name}`)
    }
  return problems
}

function reaches(
  from: string,
  to: string,
  trees: ReadonlyMap<string, Check>,
  seen: Set<string>,
): boolean {
  if (from === to) return true
  const tree = trees.get(from)
  if (tree === undefined || seen.has(from)) return false
  seen.add(from)
  return [...references(tree)].some((next) => reaches(next, to, trees, seen))
}

function didYouMean(name: string, candidates: Iterable<string>): string {
  const near = nearest(name, candidates)
  return near === undefined ? '' : `; did you mean ${near}?`
}

function* references(check: Check): Generator<string> {
  if (check.kind === 'rule') yield check.name
  if (check.kind === 'not') yield* references(check.check)
  if (check.kind === 'and' || check.kind === 'or')
    for (const each of check.checks) yield* references(each)
}

/** `named` is filled when the predicate runs, so rules may refer to later ones. */
function predicateOf(check: Check, named: ReadonlyMap<string, Predicate>): Predicate {
  switch (check.kind) {
    case 'always':
      return () => check.allowed
    case 'and': {
      const all = check.checks.map((each) => predicateOf(each, named))
      return (question) => all.every((each) => each(question))
    }
    case 'or': {
      const any = check.checks.map((each) => predicateOf(each, named))
      return (question) => any.some((each) => each(question))
    }
    case 'not': {
      const inner = predicateOf(check.check, named)
      return (question) => !inner(question)
    }
    case 'rule':
      return (question) => present(named.get(check.name), `rule:${check.name}`)(question)
    case 'role':
      return roleCheck(check.parts)
    case 'is_admin':
      return (question) => question.is_admin === check.expected
    case 'compare': {
      const { left, parts } = check
      return (question) => {
        const value = 'literal' in left ? left.literal : attributeOf(question, left.attribute)
        return value === expand(parts, question)
      }
    }
  }
}

/** Names of roles have no case, as in Keystone. */
function roleCheck(parts: readonly Part[]): Predicate {
  const [part] = parts
  if (parts.length === 1 && part !== undefined && 'text' in part) {
    const role = part.text.toLowerCase()
    return ({ subject }) => subject.roles.some((each) => each.toLowerCase() === role)
  }
  return (question) => {
    const role = expand(parts, question)?.toLowerCase()
    return question.subject.roles.some((each) => each.toLowerCase() === role)
  }
}

/**
 * The target of every rule has a project and nothing else; undefined matches nothing. null is a
 * target without a project: as upstream, it is own to callers who have none.
 */
function expand(parts: readonly Part[], { project_id }: Question): string | null | undefined {
  const [first] = parts
  if (parts.length === 1 && first !== undefined && 'target' in first)
    return first.target === 'project_id' ? project_id : undefined
  let text = ''
  for (const part of parts)
    if ('text' in part) text += part.text
    else if (part.target === 'project_id' && typeof project_id === 'string') text += project_id
    else return undefined
  return text
}

function attributeOf({ subject }: Question, attribute: Attribute): string | null {
  switch (attribute) {
    case 'project_id':
    case 'tenant':
      return subject.project_id
    case 'user_id':
    case 'user':
      return subject.user_id ?? null
    case 'system_scope':
    case 'system':
      return subject.system_scope ?? null
    default:
      return subject.domain_id ?? null
  }
}
