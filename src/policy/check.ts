/** Decides by rule, caller and the project that owns the target. Pure. */
import { fault } from '../model/fault.ts'
import { present } from '../system/assert.ts'
import {
  type Compiled,
  compileRules,
  type EffectiveRule,
  type PolicyOptions,
  type Subject,
} from './compile.ts'
import { fullName, type RuleName } from './rules.ts'

/** Upstream's defaults, without a policy file. */
export const DEFAULT_POLICY_OPTIONS: PolicyOptions = {
  overrides: new Map(),
  enforce_scope: true,
  enforce_new_defaults: true,
}

export interface Policy {
  /** `project_id` owns the target; null is that of a caller without one, undefined all of them. */
  isAllowed(rule: RuleName, caller: Subject, project_id: string | null | undefined): boolean
  /** Every rule as it counts, base rules first. */
  readonly effective: readonly EffectiveRule[]
}

/** Throws PolicyError. */
export function createPolicy(options: PolicyOptions = DEFAULT_POLICY_OPTIONS): Policy {
  const { predicates, effective }: Compiled = compileRules(options)
  const contextIsAdmin = present(predicates.get('context_is_admin'), 'context_is_admin')
  /**
   * Only this rule is asked directly and has a scope; the API's own rules have none, so a system
   * token passes those which name its roles (octavia/common/policy.py, check_is_admin).
   */
  const isAdmin = (subject: Subject): boolean => {
    if (subject.is_admin) return true
    if (options.enforce_scope && !ofProject(subject)) return false
    return contextIsAdmin({ subject, project_id: subject.project_id, is_admin: false })
  }
  return {
    effective,
    isAllowed: (rule, subject, project_id) => {
      const predicate = present(predicates.get(fullName(rule)), rule)
      return predicate({ subject, project_id, is_admin: isAdmin(subject) })
    },
  }
}

function ofProject(subject: Subject): boolean {
  return !subject.system_scope && !subject.domain_id
}

/** Throws 403 unless the rule allows it. */
export function authorize(
  policy: Policy,
  rule: RuleName,
  caller: Subject,
  project_id: string | null,
): void {
  if (!policy.isAllowed(rule, caller, project_id)) throw fault.notAuthorized()
}

/**
 * The project to which a list is limited; null is all of them. A caller without the global rule
 * sees the project asked for or its own, and only as far as `rule` allows (rbac: base.py,
 * _auth_get_all).
 */
export function listScope(
  policy: Policy,
  rule: RuleName,
  globalRule: RuleName,
  caller: Subject,
  asked: string | null,
): string | null {
  if (policy.isAllowed(globalRule, caller, asked ?? undefined)) return asked
  const project_id = asked ?? caller.project_id
  if (project_id === null) throw fault.notAuthorized()
  authorize(policy, rule, caller, project_id)
  return project_id
}
