/**
 * Which request is which action on what, in the words of CADF. The built-in map is that of upstream
 * (etc/audit/octavia_api_audit_map.conf.sample); a file of the same form takes its place. Pure.
 * Source: keystonemiddleware/audit/_api.py.
 */
import { type OsloLine, parseOsloFile } from '../config/oslo-file.ts'

export interface AuditMap {
  /** By the last part of a path, alone or with a method behind it: `failover`, `failover/put`. */
  readonly custom_actions: ReadonlyMap<string, string>
  /** Parts of paths that name a kind of resource, and what one of it is called. */
  readonly path_keywords: ReadonlyMap<string, string>
  readonly service_type: string
}

const UNKNOWN = 'unknown'

const KEYWORDS = {
  amphorae: 'amphora',
  availabilityzones: 'availabilityzone',
  availabilityzoneprofiles: 'availabilityzoneprofile',
  config: 'None',
  defaults: 'None',
  failover: 'None',
  flavors: 'flavor',
  flavorprofiles: 'flavorprofile',
  healthmonitors: 'healthmonitor',
  l7policies: 'l7policy',
  listeners: 'listener',
  loadbalancers: 'loadbalancer',
  members: 'member',
  pools: 'pool',
  providers: 'None',
  quotas: 'quota',
  rules: 'rule',
  stats: 'None',
  status: 'None',
}

export const BUILT_IN_AUDIT_MAP: AuditMap = {
  custom_actions: new Map([['failover', 'update/failover']]),
  path_keywords: new Map(Object.entries(KEYWORDS)),
  service_type: 'service/load-balancer',
}

export function parseAuditMap(text: string): AuditMap | { readonly error: string } {
  const file = parseOsloFile(text)
  if ('error' in file) return file
  const type = section(file.lines, 'DEFAULT').get('target_endpoint_type') ?? 'load-balancer'
  return {
    custom_actions: section(file.lines, 'custom_actions'),
    path_keywords: section(file.lines, 'path_keywords'),
    service_type: section(file.lines, 'service_endpoints').get(type) ?? UNKNOWN,
  }
}

function section(lines: readonly OsloLine[], name: string): ReadonlyMap<string, string> {
  return new Map(
    lines.flatMap(({ section, option, value }) =>
      section === name ? [[option.toLowerCase(), value] as const] : [],
    ),
  )
}

export function auditAction(map: AuditMap, method: string, path: string): string {
  const ending = partsOf(path).at(-1) ?? ''
  const custom =
    map.custom_actions.get(`${ending}/${method.toLowerCase()}`) ?? map.custom_actions.get(ending)
  if (custom !== undefined) return custom
  const isCollection = map.path_keywords.has(ending)
  switch (method) {
    case 'POST':
      return isCollection ? 'create' : 'update'
    case 'GET':
      return isCollection ? 'read/list' : 'read'
    case 'PUT':
    case 'PATCH':
      return 'update'
    case 'DELETE':
      return 'delete'
    case 'HEAD':
      return 'read'
    default:
      return UNKNOWN
  }
}

/** `service/load-balancer/pools/pool/members` of `/v2.0/lbaas/pools/<id>/members`. */
export function auditTarget(map: AuditMap, path: string): string {
  const { service_type, path_keywords } = map
  if (service_type === UNKNOWN) return UNKNOWN
  const parts = partsOf(path)
  const named = parts.map((part, at) =>
    path_keywords.has(part) ? part : path_keywords.get(parts[at - 1] ?? ''),
  )
  return [service_type, ...named.filter((name) => name !== undefined)].join('/')
}

function partsOf(path: string): readonly string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => part.replace(/\.json$/, ''))
}
