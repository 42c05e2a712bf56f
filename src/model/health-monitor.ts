import { type FieldType, field, integer, oneOf, type Row, resource, text, uuid } from './field.ts'
import { admin, id, named, owned, statuses, tagged, times } from './parts.ts'

export const HEALTH_MONITOR_TYPES = [
  'HTTP',
  'HTTPS',
  'PING',
  'TCP',
  'TLS-HELLO',
  'UDP-CONNECT',
  'SCTP',
] as const
export type HealthMonitorType = (typeof HEALTH_MONITOR_TYPES)[number]
/** What a pool of UDP or SCTP takes, in the order of upstream's fault. */
export const DATAGRAM_TYPES = ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP'] as const
/** What no other pool takes. */
export const DATAGRAM_ONLY_TYPES: readonly HealthMonitorType[] = ['UDP-CONNECT', 'SCTP']
export const HTTP_TYPES = ['HTTP', 'HTTPS'] as const satisfies readonly HealthMonitorType[]
export const HTTP_METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'TRACE',
  'OPTIONS',
  'CONNECT',
  'PATCH',
] as const
/** Fields which mean something for HTTP and HTTPS monitors only. */
export const HTTP_FIELDS = [
  'http_method',
  'url_path',
  'expected_codes',
  'http_version',
  'domain_name',
] as const
export const HTTP_FALLBACKS = { http_method: 'GET', url_path: '/', expected_codes: '200' } as const
/** Upstream's set and no more: what ends a path in a request line or a configuration is out. */
const URL_PATH = /^\/(?!\/)[A-Za-z0-9\-._~!$&'()*+,;=:@%/?[\]]*$/
/** Character for character upstream's, since faults show it. */
const DOMAIN_NAME = /^(?=.{1,253}\.?$)(?:(?!-|[^.]+_)[A-Za-z0-9-_]{1,63}(?<!-)(?:\.|$))+$/

/** A JSON number, 1.0 or 1.1. */
const httpVersion: FieldType<number> = {
  column: 'real',
  schema: { type: 'number', enum: [1.0, 1.1] },
  parse: (value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    return number === 1.0 || number === 1.1
      ? { ok: true, value: number }
      : { ok: false, message: 'Value should be one of: 1.0, 1.1' }
  },
}

/** Source: octavia/api/v2/types/health_monitor.py. */
export const healthMonitor = resource({
  title: 'Health Monitor',
  singular: 'healthmonitor',
  plural: 'healthmonitors',
  argument: 'health_monitor_',
  table: 'health_monitor',
  fields: {
    ...id,
    ...owned,
    ...named,
    ...admin,
    ...tagged,
    ...statuses,
    ...times,
    pool_id: field(uuid, {
      help: 'The pool whose members are checked.',
      writable: 'create',
      required: true,
      parent: 'Pool',
      shown: false,
    }),
    type: field(oneOf(HEALTH_MONITOR_TYPES), {
      help: 'How members are checked.',
      writable: 'create',
      required: true,
    }),
    delay: field(integer(0), { help: 'Seconds between checks.', required: true }),
    timeout: field(integer(0), { help: 'Seconds after which a check failed.', required: true }),
    max_retries: field(integer(1, 10), {
      help: 'Successes after which a member is up.',
      required: true,
    }),
    max_retries_down: field(integer(1, 10), {
      help: 'Failures after which a member is down.',
      fallback: 3,
    }),
    http_method: field(oneOf(HTTP_METHODS), { help: 'The method of a check.', nullable: true }),
    url_path: field(
      text({
        max: 255,
        min: 1,
        pattern: URL_PATH,
        message: 'Value must be a valid URL Path string',
      }),
      {
        help: 'The path of a check.',
        nullable: true,
      },
    ),
    expected_codes: field(text({ max: 64, pattern: /^(\d{3}(\s*,\s*\d{3})*)$|^(\d{3}-\d{3})$/ }), {
      help: '`200`, `200,202` or `200-204`.',
      nullable: true,
    }),
    http_version: field(httpVersion, { help: 'The HTTP version of a check.', nullable: true }),
    domain_name: field(text({ max: 255, min: 1, pattern: DOMAIN_NAME }), {
      help: 'The Host header of a check; needs HTTP version 1.1.',
      nullable: true,
    }),
  },
})
export type HealthMonitor = Row<typeof healthMonitor.fields>

/** A delay or a timeout as it can be kept: the API takes 0, haproxy and keepalived do not. */
export function atLeastSecond(seconds: number): number {
  return Math.max(seconds, 1)
}
