/**
 * L7 policies as a listener's rules: an acl for every rule, named after it, then what happens when
 * all of them hold.
 */
import type { CompareType, L7Rule, L7RuleType } from '../../model/l7rule.ts'
import type { Listener } from '../../model/listener.ts'
import type { L7PolicyTree, LoadBalancerTree } from '../../model/tree.ts'
import { assert } from '../../system/assert.ts'
import { argument, joined, type Line, line, phrase } from './line.ts'
import { actingPolicies, servedPool } from './served.ts'

export function renderPolicies(tree: LoadBalancerTree, listener: Listener): readonly Line[] {
  return actingPolicies(tree, listener).flatMap((policy) => {
    const condition = joined(
      policy.rules.map((rule) => (rule.invert ? line`!${rule.id}` : line`${rule.id}`)),
    )
    const action = renderAction(tree, listener, policy)
    return action === undefined
      ? []
      : [...policy.rules.map(renderRule), line`${action} if ${condition}`]
  })
}

/**
 * A policy whose target is gone does nothing. It is `redirect` and never `http-request redirect`,
 * which would read a user's `%[...]` as an expression.
 */
function renderAction(
  tree: LoadBalancerTree,
  listener: Listener,
  policy: L7PolicyTree,
): Line | undefined {
  const { redirect_http_code: status } = policy
  const code = status === null ? line`redirect` : line`redirect code ${status}`
  switch (policy.action) {
    case 'REJECT':
      return line`http-request deny`
    case 'REDIRECT_TO_URL':
      return policy.redirect_url === null
        ? undefined
        : line`${code} location ${policy.redirect_url}`
    case 'REDIRECT_PREFIX':
      return policy.redirect_prefix === null
        ? undefined
        : line`${code} prefix ${policy.redirect_prefix}`
    case 'REDIRECT_TO_POOL': {
      const pool = servedPool(tree, policy.redirect_pool_id)
      return pool === undefined ? undefined : line`use_backend ${pool.id}:${listener.id}`
    }
  }
}

const FETCH: Readonly<Record<L7RuleType, (rule: L7Rule) => Line>> = {
  HOST_NAME: () => line`req.hdr(host) -i`,
  PATH: () => line`path`,
  FILE_TYPE: () => line`path_end`,
  HEADER: (rule) => line`req.hdr(${keyOf(rule)})`,
  COOKIE: (rule) => line`req.cook(${keyOf(rule)})`,
  SSL_CONN_HAS_CERT: () => line`ssl_c_used`,
  SSL_VERIFY_RESULT: (rule) => line`ssl_c_verify eq ${rule.value}`,
  SSL_DN_FIELD: (rule) => line`ssl_c_s_dn(${keyOf(rule)})`,
}
const METHOD: Readonly<Record<CompareType, Line>> = {
  REGEX: line`-m reg`,
  STARTS_WITH: line`-m beg`,
  ENDS_WITH: line`-m end`,
  CONTAINS: line`-m sub`,
  EQUAL_TO: line`-m str`,
}
/** Their fetch says it all. */
const WITHOUT_VALUE: readonly L7RuleType[] = ['SSL_CONN_HAS_CERT', 'SSL_VERIFY_RESULT']

function renderRule(rule: L7Rule): Line {
  const fetch = FETCH[rule.type](rule)
  const plain = rule.type === 'FILE_TYPE' && rule.compare_type === 'EQUAL_TO'
  assert(rule.value !== '', 'a rule compares with something')
  const value = phrase(rule.value)
  return joined([
    line`acl ${rule.id}`,
    fetch,
    ...(WITHOUT_VALUE.includes(rule.type)
      ? []
      : [
          // `path_end -m str` would compare the whole path; haproxy issue 2567.
          plain ? undefined : METHOD[rule.compare_type],
          // A pattern that looks like an option is none.
          rule.value.startsWith('-') ? line`--` : undefined,
          value,
        ]),
  ])
}

function keyOf(rule: L7Rule): Line {
  assert(rule.key !== null, 'a rule of this type has a key')
  return argument(rule.key)
}
