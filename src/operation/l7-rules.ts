/**
 * The rules of L7 policies and rules by themselves. Source: octavia/common/validate.py,
 * sanitize_l7policy_api_args and l7rule_data. Pure.
 */
import { fault } from '../model/fault.ts'
import { DEFAULT_REDIRECT_HTTP_CODE, type L7Policy } from '../model/l7policy.ts'
import type { L7Rule, L7RuleType } from '../model/l7rule.ts'
import { regexFault } from './regex.ts'

type Redirect = Partial<
  Pick<
    L7Policy,
    'action' | 'redirect_pool_id' | 'redirect_url' | 'redirect_prefix' | 'redirect_http_code'
  >
>

const NOWHERE = {
  redirect_pool_id: null,
  redirect_url: null,
  redirect_prefix: null,
  redirect_http_code: null,
} as const

/**
 * Makes the parts of a redirect agree: a given target implies its action and clears the others.
 * `sent` is a whole policy when it is made, and what was sent when it is changed.
 */
export function agreeRedirect<T extends Redirect>(sent: T): T {
  const { action } = sent
  let { redirect_pool_id: pool, redirect_url: url, redirect_prefix: prefix } = sent
  if (action === 'REDIRECT_TO_URL' && !url) throw missing('redirect_url')
  if (action === 'REDIRECT_TO_POOL' && !pool) throw missing('redirect_pool_id or redirect_pool')
  if (action === 'REDIRECT_PREFIX' && !prefix) throw missing('redirect_prefix')
  if (action === 'REJECT' || action === 'REDIRECT_TO_URL') pool = null
  if (action === 'REJECT' || action === 'REDIRECT_TO_POOL') url = null
  if (pool && (url || prefix))
    throw fault.l7policyArguments(
      'Cannot specify redirect_pool_id and redirect_url or redirect_prefix at the same time',
    )
  if (pool) return { ...sent, ...NOWHERE, action: 'REDIRECT_TO_POOL', redirect_pool_id: pool }
  const redirect_http_code = sent.redirect_http_code ?? DEFAULT_REDIRECT_HTTP_CODE
  if (url)
    return { ...sent, ...NOWHERE, action: 'REDIRECT_TO_URL', redirect_url: url, redirect_http_code }
  if (prefix) {
    const target = { redirect_prefix: prefix, redirect_http_code }
    return { ...sent, ...NOWHERE, action: 'REDIRECT_PREFIX', ...target }
  }
  return action === 'REJECT' ? { ...sent, ...NOWHERE } : sent
}

function missing(name: string): Error {
  return fault.l7policyArguments(`${name} must not be None`)
}

/** The order of `ids` with `id` at `position`, counted from 1; beyond the end is the end. */
export function placedAt(ids: readonly string[], id: string, position: number): readonly string[] {
  const others = ids.filter((each) => each !== id)
  return others.toSpliced(Math.min(position - 1, others.length), 0, id)
}

type RuleData = Pick<L7Rule, 'type' | 'compare_type' | 'key' | 'value'>

const KEYLESS: readonly L7RuleType[] = ['HOST_NAME', 'PATH', 'FILE_TYPE']
/** RFC 7230: a token. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/
const COOKIE_VALUE = /^[A-Za-z0-9!#$%&'()*+,\-./:<=>?@[\]^_`{|}~]+$/
/** RFC 7230: visible characters, with blanks only between quotes. */
const HEADER_VALUE = /^[\u0021-\u007e]+$|^"[\u0020-\u007e]*"$/
const DN_FIELD = /^[a-zA-Z][A-Za-z0-9-]*$/
/** Blanks are the only white space that a configuration can hold within a word. */
const ONE_PHRASE = /^(?:[^\s\u0000-\u001f\u007f-\u009f]| )+$/u

/** The rule as it is kept: types without a key have none. */
export function checkRule<T extends RuleData>(rule: T): T {
  if (rule.value === '') throw broken('L7 rule type requires a value')
  CHECKS[rule.type](rule)
  if (!ONE_PHRASE.test(rule.value)) throw fault.l7rule('Invalid characters in value')
  return KEYLESS.includes(rule.type) ? { ...rule, key: null } : rule
}

const CHECKS: Readonly<Record<L7RuleType, (rule: RuleData) => void>> = {
  HOST_NAME: (rule) => checkText(rule, HEADER_VALUE, 'comparison value'),
  PATH: (rule) => checkText(rule, HEADER_VALUE, 'comparison value'),
  FILE_TYPE: (rule) => {
    if (rule.compare_type !== 'REGEX' && rule.compare_type !== 'EQUAL_TO')
      throw broken('invalid comparison type for rule type')
    checkText(rule, HEADER_VALUE, 'comparison value')
  },
  HEADER: (rule) => {
    checkKey(rule)
    checkText(rule, HEADER_VALUE, 'header value')
  },
  COOKIE: (rule) => {
    checkKey(rule)
    checkText(rule, COOKIE_VALUE, 'cookie value')
  },
  SSL_CONN_HAS_CERT: (rule) => {
    checkKeyless(rule)
    if (rule.value.toLowerCase() !== 'true')
      throw broken(`L7rule value ${rule.value} is not a boolean True string.`)
    checkEqual(rule)
  },
  SSL_VERIFY_RESULT: (rule) => {
    checkKeyless(rule)
    if (!/^\d{1,9}$/.test(rule.value))
      throw broken(`L7rule type ${rule.type} needs a int value, which is >= 0`)
    checkEqual(rule)
  },
  SSL_DN_FIELD: (rule) => {
    if (rule.compare_type === 'REGEX') checkRegex(rule.value)
    if (!rule.key) throw broken(`L7rule type ${rule.type} needs to specify a key and a value.`)
    if (!DN_FIELD.test(rule.key)) throw broken('Invalid L7rule distinguished name field.')
  },
}

function checkText(rule: RuleData, allowed: RegExp, what: string): void {
  if (rule.compare_type === 'REGEX') checkRegex(rule.value)
  else if (!allowed.test(rule.value)) throw fault.l7rule(`Invalid characters in ${what}`)
}

function checkKey({ key }: RuleData): void {
  if (!key) throw broken('L7 rule type requires a key')
  if (!TOKEN.test(key)) throw fault.l7rule('Invalid characters in key')
}

function checkKeyless({ type, key }: RuleData): void {
  if (key) throw broken(`L7rule type ${type} does not use the "key" field.`)
}

function checkEqual({ type, compare_type }: RuleData): void {
  if (compare_type !== 'EQUAL_TO')
    throw broken(`L7rule type ${type} only supports the EQUAL_TO compare type.`)
}

/** The agent's haproxy has the last word. */
function checkRegex(text: string): void {
  const why = regexFault(text)
  if (why !== undefined) throw fault.l7rule(`Unable to parse regular expression: ${why}`)
}

function broken(why: string): Error {
  return fault.l7rule(`Invalid L7 Rule: ${why}`)
}
