import { type FieldType, field, integer, oneOf, type Row, resource, text, uuid } from './field.ts'
import { admin, described, id, named, owned, statuses, tagged, times } from './parts.ts'

export const L7POLICY_ACTIONS = [
  'REJECT',
  'REDIRECT_TO_URL',
  'REDIRECT_TO_POOL',
  'REDIRECT_PREFIX',
] as const
export type L7PolicyAction = (typeof L7POLICY_ACTIONS)[number]
export const REDIRECT_HTTP_CODES = [301, 302, 303, 307, 308] as const
export const DEFAULT_REDIRECT_HTTP_CODE = 302
/** The last place, wherever that is. */
export const POSITION_MAX = 2 ** 31 - 1

/** Scheme and host are needed; blanks and control characters would end a word of haproxy's. */
const url = text({
  max: 255,
  pattern:
    /^https?:\/\/[A-Za-z0-9\-._~%!$&'()*+,;=:@[\]]+([/?#][^\s\u0000-\u0020\u007f-\u009f]*)?$/i,
  message: 'Value must be a valid URL string',
})

const redirectCode: FieldType<number> = {
  column: 'integer',
  schema: { type: 'integer', enum: REDIRECT_HTTP_CODES },
  parse: (value) => {
    const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value
    return (REDIRECT_HTTP_CODES as readonly unknown[]).includes(number)
      ? { ok: true, value: number as number }
      : { ok: false, message: `Value should be one of: ${REDIRECT_HTTP_CODES.join(', ')}` }
  },
}

/** Source: octavia/api/v2/types/l7policy.py. */
export const l7policy = resource({
  title: 'L7 Policy',
  singular: 'l7policy',
  plural: 'l7policies',
  argument: 'l7policy_',
  table: 'l7policy',
  fields: {
    ...id,
    ...owned,
    ...named,
    ...described,
    ...admin,
    ...tagged,
    ...statuses,
    ...times,
    listener_id: field(uuid, {
      help: 'The listener.',
      writable: 'create',
      required: true,
      parent: 'Listener',
    }),
    action: field(oneOf(L7POLICY_ACTIONS), {
      help: 'What is done with a request to which all rules apply.',
      required: true,
    }),
    redirect_pool_id: field(uuid, { help: 'For REDIRECT_TO_POOL.', nullable: true }),
    redirect_url: field(url, { help: 'For REDIRECT_TO_URL.', nullable: true }),
    redirect_prefix: field(url, {
      help: 'For REDIRECT_PREFIX: what replaces scheme and host of the request.',
      nullable: true,
    }),
    redirect_http_code: field(redirectCode, {
      help: 'The status of a redirect.',
      nullable: true,
    }),
    position: field(integer(1, POSITION_MAX), {
      help: 'Its place among the policies of the listener, from 1 on; the last when absent.',
      fallback: POSITION_MAX,
    }),
  },
})
export type L7Policy = Row<typeof l7policy.fields>
