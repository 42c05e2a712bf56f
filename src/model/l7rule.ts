import { boolean, field, oneOf, type Row, resource, text, uuid } from './field.ts'
import { admin, id, owned, statuses, tagged, times } from './parts.ts'

export const L7RULE_TYPES = [
  'HOST_NAME',
  'PATH',
  'FILE_TYPE',
  'HEADER',
  'COOKIE',
  'SSL_CONN_HAS_CERT',
  'SSL_VERIFY_RESULT',
  'SSL_DN_FIELD',
] as const
export type L7RuleType = (typeof L7RULE_TYPES)[number]
export const COMPARE_TYPES = ['REGEX', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'EQUAL_TO'] as const
export type CompareType = (typeof COMPARE_TYPES)[number]
/** haproxy takes some more conditions in a line, but not many. */
export const RULES_PER_POLICY_MAX = 50

/** Source: octavia/api/v2/types/l7rule.py. */
export const l7rule = resource({
  title: 'L7 Rule',
  singular: 'rule',
  plural: 'rules',
  argument: 'rule_',
  table: 'l7rule',
  fields: {
    ...id,
    ...owned,
    ...admin,
    ...tagged,
    ...statuses,
    ...times,
    l7policy_id: field(uuid, { help: 'The policy.', writable: 'never', shown: false }),
    type: field(oneOf(L7RULE_TYPES), { help: 'What is looked at.', required: true }),
    compare_type: field(oneOf(COMPARE_TYPES), { help: 'How it is compared.', required: true }),
    key: field(text({ max: 255 }), {
      help: 'The name of the header, the cookie or the field of the DN.',
      nullable: true,
    }),
    value: field(text({ max: 255 }), { help: 'What it is compared with.', required: true }),
    invert: field(boolean, { help: 'Whether the opposite must be true.', fallback: false }),
  },
})
export type L7Rule = Row<typeof l7rule.fields>
