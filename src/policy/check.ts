/**
 * Decides by rule, caller and the project that owns the target. Pure. The base rules are upstream's
 * defaults of keystone's roles; deployments without identity have `is_admin` callers only.
 */
import { fault } from '../model/fault.ts'
import { type MethodRule, RULES, type RuleName } from './rules.ts'

export interface Subject {
  readonly project_id: string | null
  readonly roles: readonly string[]
  readonly is_admin: boolean
}

type Predicate = (caller: Subject, project_id: string | null) => boolean

const has =
  (role: string): Predicate =>
  (caller) =>
    caller.roles.includes(role)
const owner: Predicate = (caller, project_id) =>
  caller.project_id !== null && caller.project_id === project_id
const admin: Predicate = (caller) => caller.is_admin || caller.roles.includes('admin')
const any =
  (...predicates: readonly Predicate[]): Predicate =>
  (caller, project_id) =>
    predicates.some((predicate) => predicate(caller, project_id))
const all =
  (...predicates: readonly Predicate[]): Predicate =>
  (caller, project_id) =>
    predicates.every((predicate) => predicate(caller, project_id))

const member = all(has('member'), owner)
const reader = all(has('reader'), owner)

const METHODS: Readonly<Record<MethodRule, Predicate>> = {
  read: any(reader, member, admin),
  'read-global': admin,
  write: any(member, admin),
  'read-quota': any(reader, member, admin),
  'read-quota-global': admin,
  'write-quota': admin,
  admin,
  anyone: () => true,
}

export function isAllowed(rule: RuleName, caller: Subject, project_id: string | null): boolean {
  return METHODS[RULES[rule]](caller, project_id)
}

/** Throws 403 unless the rule allows it. */
export function authorize(rule: RuleName, caller: Subject, project_id: string | null): void {
  if (!isAllowed(rule, caller, project_id)) throw fault.notAuthorized()
}

/**
 * The project to which a list is limited; null is all of them. A caller without the global rule
 * sees the project asked for or its own, and only as far as `rule` allows (rbac: base.py,
 * _auth_get_all).
 */
export function listScope(
  rule: RuleName,
  globalRule: RuleName,
  caller: Subject,
  asked: string | null,
): string | null {
  if (isAllowed(globalRule, caller, asked)) return asked
  const project_id = asked ?? caller.project_id
  if (project_id === null) throw fault.notAuthorized()
  authorize(rule, caller, project_id)
  return project_id
}
