/** Policy files: what they mean, and what is wrong with them, by file and line. */
import { expect, test } from 'vitest'
import { createPolicy, DEFAULT_POLICY_OPTIONS, type Policy } from '../../src/policy/check.ts'
import { PolicyError, type Subject } from '../../src/policy/compile.ts'
import { parsePolicyFile } from '../../src/policy/file.ts'
import type { RuleName } from '../../src/policy/rules.ts'

const open = (text: string, file = 'policy.yaml', over = {}): Policy =>
  createPolicy({ ...DEFAULT_POLICY_OPTIONS, ...over, overrides: parsePolicyFile(file, text) })

function problems(text: string, file = 'policy.yaml'): readonly string[] {
  try {
    open(text, file)
  } catch (error) {
    if (error instanceof PolicyError) return error.problems
    throw error
  }
  return []
}

const subject = (over: Partial<Subject> & { roles?: readonly string[] } = {}): Subject => ({
  project_id: 'p',
  roles: [],
  is_admin: false,
  ...over,
})
const may = (policy: Policy, rule: string, who: Subject, project_id: string | null = 'p') =>
  policy.isAllowed(rule as RuleName, who, project_id)

test.each([
  ['role:a and role:b', ['a', 'b'], true],
  ['role:a and role:b', ['a'], false],
  ['role:a or role:b and role:c', ['a'], true],
  ['role:a or role:b and role:c', ['b'], false],
  ['(role:a or role:b) and role:c', ['a'], false],
  ['(role:a or role:b) and role:c', ['b', 'c'], true],
  ['not role:a and role:b', ['b'], true],
  ['not (role:a and role:b)', ['a', 'b'], false],
  ['NOT role:a OR role:b', ['a', 'b'], true],
  ['role:A', ['a'], true],
  ['@', [], true],
  ['!', ['admin'], false],
  ['', [], true],
  ['project_id:%(project_id)s', [], true],
  ["'p':%(project_id)s", [], true],
  ["'q':%(project_id)s", [], false],
  ['user_id:u', [], true],
  ['user_id:%(user_id)s', [], false],
  ['role:of_%(project_id)s', ['of_p'], true],
  ['is_admin:False', [], true],
  ['is_admin:True', ['admin'], true],
  ['((role:a))', ['a'], true],
] as const)('%s for %j is %s', (rule, roles, expected) => {
  const policy = open(`"os_load-balancer_api:pool:post": ${JSON.stringify(rule)}\n`)
  expect(may(policy, 'pool:post', subject({ user_id: 'u', roles }))).toBe(expected)
})

test.each([
  [
    '"os_load-balancer_api:pool:pst": "@"',
    'policy.yaml:1: there is no rule os_load-balancer_api:pool:pst; did you mean os_load-balancer_api:pool:post?',
  ],
  [
    '\n# why\n"load-balancer:raed": "@"',
    'policy.yaml:3: there is no rule load-balancer:raed; did you mean load-balancer:read?',
  ],
  [
    '"load-balancer:read": "rule:load-balancer:onwer"',
    'policy.yaml:1: load-balancer:read: there is no rule:load-balancer:onwer; did you mean load-balancer:owner?',
  ],
  [
    '"load-balancer:read": "@"\n"load-balancer:write": "role:a and"',
    'policy.yaml:2: load-balancer:write: it ends where a check is expected',
  ],
  ['"load-balancer:read": "(role:a"', "policy.yaml:1: load-balancer:read: a ')' is missing"],
  [
    '"load-balancer:read": "role:a role:b"',
    "policy.yaml:1: load-balancer:read: 'and' or 'or' is missing before 'role:b'",
  ],
  [
    '"load-balancer:read": "admin"',
    "policy.yaml:1: load-balancer:read: 'admin' is no check: role:NAME, rule:NAME, @ or !",
  ],
  ['"load-balancer:read": "projct_id:%(project_id)s"', /'projct_id' is nothing a rule can ask/],
  ['"load-balancer:read": "http://x/y"', /not supported/],
  ['"load-balancer:read":', 'policy.yaml:1: load-balancer:read takes a rule in quotes'],
  ['"load-balancer:read": {a: b}', 'policy.yaml:1: load-balancer:read takes a rule in quotes'],
  [
    '"load-balancer:read": "@"\n\n"load-balancer:read": "!"',
    'policy.yaml:3: load-balancer:read is there already',
  ],
  ['"load-balancer:read": "@"\nwhat is this', 'policy.yaml:2: not YAML of the form "name": "rule"'],
  ['"load-balancer:read": "@"\n"x": "un\n', 'policy.yaml:2: not YAML of the form "name": "rule"'],
  ['"a": "rule:b"\n"b": "rule:a"', /rule:b leads back to a/],
] as const)('%j is refused', (text, message) => {
  const [found = ''] = problems(text)
  if (typeof message === 'string') expect(found).toBe(message)
  else expect(found).toMatch(message)
})

test('all problems of a file are told at once', () => {
  expect(problems('"load-balancer:read": "x"\n"load-balancer:write": "y"\n')).toHaveLength(2)
})

test('YAML, JSON and TOML say the same, lists of older files too', () => {
  const files = [
    [
      'policy.yaml',
      '---\n# ours\n"ours": "role:ops"\n\'load-balancer:admin\': "rule:ours or\n    role:boss" # two\n',
    ],
    ['policy.json', '{"ours": "role:ops", "load-balancer:admin": "rule:ours or role:boss"}'],
    [
      'policy.toml',
      '# ours\nours = "role:ops"\n"load-balancer:admin" = "rule:ours or role:boss"\n',
    ],
    ['old.yaml', 'ours: [["role:ops"]]\n"load-balancer:admin":\n- ["rule:ours"]\n- role:boss\n'],
  ] as const
  for (const [file, text] of files) {
    const policy = open(text, file)
    for (const [role, expected] of [
      ['ops', true],
      ['boss', true],
      ['admin', false],
    ] as const)
      expect(may(policy, 'amphora:get_one', subject({ roles: [role] })), `${file} ${role}`).toBe(
        expected,
      )
  }
  expect(problems('[section]\na = "b"\n', 'policy.toml')).toHaveLength(1)
  expect(problems('a = \n', 'policy.toml')[0]).toMatch(/^policy\.toml:\d+: not TOML/)
})

/** The meaning of the four files upstream ships, in words of our own. */
const SHIPPED = {
  'admin or owner': `
mine: "is_admin:True or project_id:%(project_id)s"
context_is_admin: "role:admin or role:load-balancer_admin"
"load-balancer:read": "rule:mine"
"load-balancer:write": "rule:mine"
"load-balancer:read-quota": "rule:mine"
"load-balancer:read-global": "is_admin:True"
"load-balancer:read-quota-global": "is_admin:True"
"load-balancer:write-quota": "is_admin:True"
`,
  'default roles': `
reads: "role:reader and project_id:%(project_id)s"
writes: "role:member and project_id:%(project_id)s"
root: "role:admin"
context_is_admin: "role:admin"
"load-balancer:admin": "is_admin:True or rule:root or role:load-balancer_admin"
"load-balancer:read": "is_admin:True or rule:root or rule:reads"
"load-balancer:read-global": "is_admin:True or rule:root"
"load-balancer:write": "is_admin:True or rule:writes"
"load-balancer:read-quota": "is_admin:True or rule:root or rule:reads"
"load-balancer:read-quota-global": "is_admin:True or rule:root"
"load-balancer:write-quota": "is_admin:True"
`,
  'scoped roles': `
reads: "role:reader and project_id:%(project_id)s"
writes: "role:member and project_id:%(project_id)s"
root: "role:admin and system_scope:all"
watcher: "role:reader and system_scope:all"
context_is_admin: "role:admin and system_scope:all"
"load-balancer:admin": "is_admin:True or rule:root or role:load-balancer_admin"
"load-balancer:read": "is_admin:True or rule:watcher or rule:reads"
"load-balancer:read-global": "is_admin:True or rule:watcher"
"load-balancer:write": "is_admin:True or rule:writes"
"load-balancer:read-quota": "is_admin:True or rule:watcher or rule:reads"
"load-balancer:read-quota-global": "is_admin:True or rule:watcher"
"load-balancer:write-quota": "is_admin:True"
`,
  'roles of our own': `
context_is_admin: "role:admin or role:load-balancer_admin"
"load-balancer:owner": "project_id:%(project_id)s"
"load-balancer:admin": "is_admin:True or role:admin or role:load-balancer_admin"
"load-balancer:observer_and_owner": "role:load-balancer_observer and rule:load-balancer:owner"
"load-balancer:global_observer": "role:load-balancer_global_observer"
"load-balancer:member_and_owner": "role:load-balancer_member and rule:load-balancer:owner"
"load-balancer:read-quota": >-
  rule:load-balancer:observer_and_owner or rule:load-balancer:global_observer or
  rule:load-balancer:member_and_owner or role:load-balancer_quota_admin or rule:load-balancer:admin
"load-balancer:read-quota-global": >-
  rule:load-balancer:global_observer or role:load-balancer_quota_admin or rule:load-balancer:admin
"load-balancer:write-quota": "role:load-balancer_quota_admin or rule:load-balancer:admin"
`,
} as const

const WHO = {
  norole: subject(),
  stranger: subject({ project_id: 'q', roles: ['member', 'reader'] }),
  reader: subject({ roles: ['reader'] }),
  member: subject({ roles: ['member'] }),
  admin: subject({ project_id: 'q', roles: ['admin', 'member', 'reader'] }),
  'system admin': subject({ project_id: null, roles: ['admin', 'reader'], system_scope: 'all' }),
  'system reader': subject({ project_id: null, roles: ['reader'], system_scope: 'all' }),
  lbadmin: subject({ project_id: 'q', roles: ['load-balancer_admin'] }),
  lbmember: subject({ roles: ['load-balancer_member'] }),
  lbobserver: subject({ roles: ['load-balancer_observer'] }),
  lbglobal: subject({ project_id: 'q', roles: ['load-balancer_global_observer'] }),
  lbquota: subject({ project_id: 'q', roles: ['load-balancer_quota_admin'] }),
}
const PROBES = [
  'loadbalancer:get_one',
  'loadbalancer:get_all-global',
  'loadbalancer:post',
  'amphora:get_all',
  'quota:get_one',
  'quota:put',
] as const

/** Rows: caller; columns: PROBES; `y` is allowed. */
const MEANING = {
  'admin or owner': {
    norole: 'y.y.y.',
    stranger: '......',
    reader: 'y.y.y.',
    member: 'y.y.y.',
    admin: 'yyyyyy',
    'system admin': '...y..',
    'system reader': '......',
    lbadmin: 'yyyyyy',
    lbmember: 'y.y.y.',
    lbobserver: 'y.y.y.',
    lbglobal: '......',
    lbquota: '......',
  },
  'default roles': {
    norole: '......',
    stranger: '......',
    reader: 'y...y.',
    member: '..y...',
    admin: 'yyyyyy',
    'system admin': 'yy.yy.',
    'system reader': '......',
    lbadmin: '...y..',
    lbmember: '......',
    lbobserver: '......',
    lbglobal: '......',
    lbquota: '......',
  },
  'scoped roles': {
    norole: '......',
    stranger: '......',
    reader: 'y...y.',
    member: '..y...',
    admin: '......',
    'system admin': 'yy.yy.',
    'system reader': 'yy..y.',
    lbadmin: '...y..',
    lbmember: '......',
    lbobserver: '......',
    lbglobal: '......',
    lbquota: '......',
  },
  'roles of our own': {
    norole: '......',
    stranger: '......',
    reader: '......',
    member: '......',
    admin: 'yyyyyy',
    'system admin': 'yyyyyy',
    'system reader': '......',
    lbadmin: 'yyyyyy',
    lbmember: 'y.y.y.',
    lbobserver: 'y...y.',
    lbglobal: 'yy..y.',
    lbquota: '....yy',
  },
} as const

test.each(Object.keys(SHIPPED) as (keyof typeof SHIPPED)[])('the file with %s', (name) => {
  const policy = open(SHIPPED[name])
  const found = Object.entries(WHO).map(([who, each]) => [
    who,
    PROBES.map((rule) => (may(policy, rule, each) ? 'y' : '.')).join(''),
  ])
  expect(Object.fromEntries(found)).toEqual(MEANING[name])
})
