/** What Keystone tells about a token, as far as it is used. Pure. */
import type { Asked, Caller } from '../identity.ts'
import { record, records, text } from './json.ts'

/** A request to which an application credential is limited. */
export interface AccessRule {
  readonly service: string
  readonly method: string
  readonly path: string
}

export interface TokenData {
  readonly caller: Caller
  readonly expires_ms: number
  /** null: not limited. */
  readonly access_rules: readonly AccessRule[] | null
}

/** The body of GET /v3/auth/tokens; undefined if it is not of that form. */
export function parseToken(body: unknown): TokenData | undefined {
  const token = record(record(body)?.token)
  const user_id = text(record(token?.user)?.id)
  const expires_ms = Date.parse(text(token?.expires_at) ?? '')
  if (token === undefined || user_id === undefined || Number.isNaN(expires_ms)) return undefined
  const domain_id = text(record(token.domain)?.id)
  return {
    caller: {
      user_id,
      project_id: text(record(token.project)?.id) ?? null,
      roles: records(token.roles).flatMap((role) => text(role.name) ?? []),
      is_admin: false,
      ...(record(token.system)?.all === true ? { system_scope: 'all' } : {}),
      ...(domain_id === undefined ? {} : { domain_id }),
    },
    expires_ms,
    access_rules: accessRules(record(token.application_credential)?.access_rules),
  }
}

/** A rule that cannot be read allows nothing. */
function accessRules(value: unknown): readonly AccessRule[] | null {
  if (value === undefined || value === null) return null
  return records(value).flatMap(({ service, method, path }) =>
    typeof service === 'string' && typeof method === 'string' && typeof path === 'string'
      ? [{ service, method, path }]
      : [],
  )
}

/** Whether one of the rules is for this request of this service. */
export function isAccessAllowed(
  rules: readonly AccessRule[],
  service: string,
  { method, path }: Asked,
): boolean {
  return rules.some(
    (rule) => rule.service === service && rule.method === method && patternOf(rule.path).test(path),
  )
}

/** `{name}` and `*` stand for one part of a path, `**` for any number of them. */
function patternOf(path: string): RegExp {
  const source = path.replace(/\{[^}]*\}|\*\*|\*|[^{}*]/g, (part) => {
    if (part === '**') return '.*'
    if (part === '*' || part.length > 1) return '[^/]+'
    return part.replace(/[\\^$.|?+()[\]]/, '\\$&')
  })
  return new RegExp(`^${source}$`)
}
