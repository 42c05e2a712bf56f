/** Every method rule by every kind of caller, with new defaults and old; and scopes of lists. */
import { expect, test } from 'vitest'
import {
  createPolicy,
  DEFAULT_POLICY_OPTIONS,
  listScope,
  type Policy,
} from '../../src/policy/check.ts'
import type { Subject } from '../../src/policy/compile.ts'
import type { RuleName } from '../../src/policy/rules.ts'

const caller = (roles: readonly string[], over: Partial<Subject> = {}): Subject => ({
  project_id: 'p',
  roles,
  is_admin: false,
  ...over,
})
const CALLERS = {
  nobody: caller([], { project_id: null }),
  norole: caller([]),
  reader: caller(['reader']),
  member: caller(['Member']),
  stranger: caller(['member', 'reader'], { project_id: 'other' }),
  admin: caller(['admin'], { project_id: 'other' }),
  noauth: caller([], { project_id: null, is_admin: true }),
  service: caller(['service'], { project_id: 'other' }),
  'system admin': caller(['admin'], { project_id: null, system_scope: 'all' }),
  'system reader': caller(['reader'], { project_id: null, system_scope: 'all' }),
  'old observer': caller(['load-balancer_observer']),
  'old global': caller(['load-balancer_global_observer'], { project_id: 'other' }),
  'old member': caller(['load-balancer_member']),
  'old stranger': caller(['load-balancer_member'], { project_id: 'other' }),
  'old quota': caller(['load-balancer_quota_admin'], { project_id: 'other' }),
  'old admin': caller(['load-balancer_admin'], { project_id: 'other' }),
} as const
type Who = keyof typeof CALLERS

const ADMINS: readonly Who[] = ['admin', 'noauth', 'system admin']
const NEW = createPolicy()
const OLD = createPolicy({ ...DEFAULT_POLICY_OPTIONS, enforce_new_defaults: false })

const allowed = (policy: Policy, rule: RuleName, project_id: string | null = 'p') =>
  Object.entries(CALLERS)
    .filter(([, each]) => policy.isAllowed(rule, each, project_id))
    .map(([name]) => name)
    .sort()

const TABLE: readonly (readonly [RuleName, readonly Who[], readonly Who[]])[] = [
  ['loadbalancer:get_one', ['reader', 'member'], ['old observer', 'old global', 'old member']],
  ['loadbalancer:get_all-global', [], ['old global']],
  ['loadbalancer:post', ['member'], ['old member']],
  ['loadbalancer:put:vip_sg_ids', ['member'], ['old member']],
  ['loadbalancer:put_failover', [], []],
  ['member:get_all', ['reader', 'member', 'service'], ['old observer', 'old global', 'old member']],
  ['member:get_one', ['reader', 'member'], ['old observer', 'old global', 'old member']],
  [
    'quota:get_one',
    ['reader', 'member'],
    ['old observer', 'old global', 'old member', 'old quota'],
  ],
  ['quota:get_all-global', [], ['old global', 'old quota']],
  ['quota:put', [], ['old quota']],
  ['amphora:get_all', [], []],
  ['flavor-profile:get_all', [], []],
  ['provider-flavor:get_all', [], []],
]

test.each(TABLE)('%s is for %j, and with old roles for %j', (rule, now, before) => {
  expect(allowed(NEW, rule)).toEqual([...now, ...ADMINS].sort())
  expect(allowed(OLD, rule)).toEqual([...now, ...before, ...ADMINS, 'old admin'].sort())
})

test('what anybody may do asks no role', () => {
  expect(allowed(NEW, 'version')).toEqual(Object.keys(CALLERS).sort())
})

test('who has no project owns no project, and never all of them', () => {
  const rule = 'project_id:%(project_id)s'
  const overrides = new Map([['load-balancer:read-global', { rule, where: 'f:1' }]])
  const policy = createPolicy({ ...DEFAULT_POLICY_OPTIONS, overrides })
  const reader = caller(['reader'], { project_id: null })
  expect(policy.isAllowed('pool:get_one', reader, 'p')).toBe(false)
  expect(() => listScope(policy, 'pool:get_all', 'pool:get_all-global', reader, null)).toThrow(
    'Policy does not allow',
  )
  // What belongs to nobody, such as the list of flavors, is asked for with the caller's project.
  expect(policy.isAllowed('flavor:get_all', reader, null)).toBe(true)
  expect(policy.isAllowed('flavor:get_all', CALLERS.nobody, null)).toBe(false)
})

test('a token of the system is no administrator by context_is_admin unless scopes are off', () => {
  const overrides = new Map([
    ['load-balancer:admin', { rule: 'is_admin:True', where: 'f:1' }],
    ['load-balancer:global_observer', { rule: '!', where: 'f:2' }],
  ])
  const system = CALLERS['system admin']
  const project = CALLERS.admin
  for (const [enforce_scope, expected] of [
    [true, false],
    [false, true],
  ] as const) {
    const policy = createPolicy({ overrides, enforce_scope, enforce_new_defaults: true })
    expect(policy.isAllowed('amphora:get_all', system, null)).toBe(expected)
    expect(policy.isAllowed('amphora:get_all', project, null)).toBe(true)
  }
})

const scope = (who: Who, asked: string | null): string | null =>
  listScope(NEW, 'pool:get_all', 'pool:get_all-global', CALLERS[who], asked)

test('global readers see all or what they ask for, others their own project', () => {
  expect(scope('admin', null)).toBeNull()
  expect(scope('admin', 'x')).toBe('x')
  expect(scope('noauth', null)).toBeNull()
  expect(scope('reader', null)).toBe('p')
  expect(scope('reader', 'p')).toBe('p')
  for (const [who, asked] of [
    ['reader', 'x'],
    ['nobody', null],
    ['norole', null],
    ['stranger', 'p'],
    ['system reader', null],
  ] as const)
    expect(() => scope(who, asked)).toThrow('Policy does not allow this request to be performed.')
})

test('a check is a matter of microseconds', () => {
  const started = performance.now()
  for (let i = 0; i < 20_000; i++) NEW.isAllowed('loadbalancer:get_one', CALLERS.stranger, 'p')
  // Far above what it takes, far below a millisecond each.
  expect(performance.now() - started).toBeLessThan(2_000)
})
