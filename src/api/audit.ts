/**
 * Events of CADF (Cloud Auditing Data Federation, DMTF DSP0262): one when a caller is known and one
 * when he is answered, in the log. No token, body or header that could hold a secret is part of
 * them, and what a caller can make long is cut off. Source of the form:
 * keystonemiddleware/audit and doc/source/admin/api-audit.rst.
 */
import type { Caller } from '../driver/identity.ts'
import type { Log } from '../system/log.ts'
import { type AuditMap, auditAction, auditTarget } from './audit-map.ts'

export interface Auditor {
  /** `address` is the one it comes from. */
  follow(request: Request, request_id: string, address: () => string | null): Trail
}

/** What is recorded of one request: nothing, unless its caller becomes known. */
export interface Trail {
  /** `url` as the client wrote it. */
  known(caller: Caller, url: URL): void
  /** Gives the answer back. */
  end(answer: Response): Response
}

/** Where nothing is audited. */
export const NO_TRAIL: Trail = { known: () => {}, end: (answer) => answer }

interface Dependencies {
  readonly log: Log
  readonly newId: () => string
  readonly clock: { now(): number }
}

/** Characters of a path, and of what a client calls itself. */
const PATH_MAX = 2_000
const AGENT_MAX = 200
/** CADF's word for what is not told. */
const UNKNOWN = 'unknown'
const OBSERVER = { id: 'target' }

export function createAuditor(
  { log, newId, clock }: Dependencies,
  options: { readonly map: AuditMap; readonly ignored_methods: readonly string[] },
): Auditor {
  const now = () => new Date(clock.now()).toISOString().replace('Z', '000+0000')
  const record = (type: string, payload: object) => log.info(type, { payload })
  return {
    follow: (request, request_id, address) => {
      if (options.ignored_methods.includes(request.method)) return NO_TRAIL
      let event: object | undefined
      return {
        known: (caller, url) => {
          event = {
            typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
            eventType: 'activity',
            id: newId(),
            eventTime: now(),
            ...whatOf(options.map, request.method, url),
            initiator: initiatorOf(caller, request, request_id, address()),
            observer: OBSERVER,
            tags: [`correlation_id?value=${newId()}`],
          }
          record('audit.http.request', { ...event, outcome: 'pending' })
        },
        end: (answer) => {
          const { status } = answer
          if (event !== undefined)
            record('audit.http.response', {
              ...event,
              outcome: status >= 200 && status < 400 ? 'success' : 'failure',
              reason: { reasonType: 'HTTP', reasonCode: String(status) },
              reporterchain: [{ role: 'modifier', reporter: OBSERVER, reporterTime: now() }],
            })
          return answer
        },
      }
    },
  }
}

function whatOf(map: AuditMap, method: string, { pathname, search }: URL) {
  return {
    action: auditAction(map, method, pathname),
    target: { id: 'octavia', name: 'octavia', typeURI: auditTarget(map, pathname) },
    requestPath: `${pathname}${search}`.slice(0, PATH_MAX),
  }
}

function initiatorOf(
  { user_id, project_id }: Caller,
  { headers }: Request,
  request_id: string,
  address: string | null,
) {
  return {
    typeURI: 'service/security/account/user',
    id: user_id ?? UNKNOWN,
    project_id: project_id ?? UNKNOWN,
    request_id,
    host: {
      address: address ?? UNKNOWN,
      agent: (headers.get('user-agent') ?? UNKNOWN).slice(0, AGENT_MAX),
    },
  }
}
