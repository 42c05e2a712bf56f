/** Every method rule by every kind of caller, and what a list is limited to. */
import { expect, test } from 'vitest'
import { isAllowed, listScope, type Subject } from '../../src/policy/check.ts'
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
  member: caller(['member']),
  stranger: caller(['member', 'reader'], { project_id: 'other' }),
  admin: caller(['admin'], { project_id: 'other' }),
  noauth: caller([], { project_id: null, is_admin: true }),
} as const

test.each([
  ['loadbalancer:get_one', ['reader', 'member', 'admin', 'noauth']],
  ['loadbalancer:get_all-global', ['admin', 'noauth']],
  ['loadbalancer:post', ['member', 'admin', 'noauth']],
  ['loadbalancer:put_failover', ['admin', 'noauth']],
  ['version', Object.keys(CALLERS)],
] as const)('%s is for %j', (rule, allowed) => {
  const found = Object.entries(CALLERS).filter(([, each]) => isAllowed(rule as RuleName, each, 'p'))
  expect(found.map(([name]) => name).sort()).toEqual([...allowed].sort())
})

const scope = (who: keyof typeof CALLERS, asked: string | null): string | null =>
  listScope('pool:get_all', 'pool:get_all-global', CALLERS[who], asked)

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
  ] as const)
    expect(() => scope(who, asked)).toThrow('Policy does not allow this request to be performed.')
})
