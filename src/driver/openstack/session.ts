/**
 * Calls of OpenStack services with a token of our own: who we are is proved to Keystone once and
 * again before the token ends, where services are comes from its catalogue. Connections that fail
 * are tried again, answers of any status are returned. Nothing here logs or throws a secret.
 */
import type { Clock } from '../../system/clock.ts'
import { DriverError } from '../error.ts'
import { type CatalogEntry, findEndpoint, identityUrl, type ServiceEndpoint } from './catalog.ts'
import { type Credentials, tokenRequest } from './credentials.ts'
import { call, type ServiceRequest, type ServiceResponse, type TransportOptions } from './http.ts'
import { problemOf } from './refusal.ts'

export interface SessionOptions extends TransportOptions {
  readonly auth_url: string
  readonly credentials: Credentials
}

export interface Session {
  /** The base URL of a service, without a slash at its end. Throws DriverError. */
  endpoint(service: ServiceEndpoint): Promise<string>
  /**
   * Calls `url` with our token; where it is refused once more with a new one. Throws DriverError,
   * retryable where the service could not be reached. `transport` is the session's own if absent.
   */
  request(
    url: string,
    request: ServiceRequest,
    transport?: TransportOptions,
  ): Promise<ServiceResponse>
  /** The project our token is for; null where it is for none. Throws DriverError. */
  projectId(): Promise<string | null>
  /** The user our token is of. Throws DriverError. */
  userId(): Promise<string>
}

interface Login {
  /** Secret. */
  readonly token: string
  readonly expires_ms: number
  readonly catalog: readonly CatalogEntry[]
  readonly project_id: string | null
  readonly user_id: string
}

interface LoginAnswer {
  readonly expires_at?: unknown
  readonly catalog?: unknown
  readonly project?: { readonly id?: unknown } | null
  readonly user?: { readonly id?: unknown }
}

/** Renewed this long before its end, so that none ends on the way. */
const RENEW_MS = 60_000

export function createSession(deps: { readonly clock: Clock }, options: SessionOptions): Session {
  const { clock } = deps
  let current: Login | undefined
  let renewal: Promise<Login> | undefined

  /** One login at a time, however many wait for it. */
  const loggedIn = async (): Promise<Login> => {
    if (current !== undefined && clock.now() < current.expires_ms - RENEW_MS) return current
    renewal ??= login(clock, options)
      .then((made) => {
        current = made
        return made
      })
      .finally(() => {
        renewal = undefined
      })
    return await renewal
  }

  return {
    endpoint: async (service) => {
      if (service.override !== null) return service.override.replace(/\/+$/, '')
      return findEndpoint((await loggedIn()).catalog, service)
    },
    projectId: async () => (await loggedIn()).project_id,
    userId: async () => (await loggedIn()).user_id,
    request: async (url, request, transport = options) => {
      const used = await loggedIn()
      const answer = await call(clock, transport, url, withToken(request, used.token))
      if (!isStale(answer)) return answer
      // Revoked before its end. Somebody else may have renewed it meanwhile.
      if (current === used) current = undefined
      return await call(clock, transport, url, withToken(request, (await loggedIn()).token))
    },
  }
}

/**
 * Nova asks Neutron with our token. Refused there, it says so to administrators not by 401 but in
 * these words, because it takes the token for its own.
 */
function isStale({ status, body }: ServiceResponse): boolean {
  return (
    status === 401 ||
    (status === 400 && /\bunauthorized exception\b/i.test(problemOf(body).message))
  )
}

export function withToken(request: ServiceRequest, token: string): ServiceRequest {
  return { ...request, headers: { ...request.headers, 'x-auth-token': token } }
}

async function login(clock: Clock, options: SessionOptions): Promise<Login> {
  const url = `${identityUrl(options.auth_url)}/auth/tokens`
  const doing = { operation: 'authenticate', subject: `our user at ${url}` }
  const body = tokenRequest(options.credentials)
  const asked = { method: 'POST', body, repeatable: true }
  const answer = await call(clock, options, url, asked).catch((error: unknown) => {
    // Whoever wanted a token is not to take it for the service that it was for.
    if (!(error instanceof DriverError)) throw error
    const { retryable, outage } = error
    const reason = `Keystone: ${error.reason}`
    throw new DriverError({ ...doing, reason, retryable, outage, cause: error.cause })
  })
  const token = answer.headers.get('x-subject-token')
  const data = (answer.body as { token?: LoginAnswer } | undefined)?.token
  if (answer.status !== 201 || token === null || data === undefined)
    throw new DriverError({
      ...doing,
      reason: `Keystone answered ${answer.status}`,
      hint: answer.status === 401 ? 'see user, password, project and their domains' : 'see its log',
      retryable: answer.status >= 500 || answer.status === 429,
      outage: true,
    })
  const expires_ms = Date.parse(String(data.expires_at))
  return {
    token,
    expires_ms: Number.isNaN(expires_ms) ? clock.now() + 2 * RENEW_MS : expires_ms,
    catalog: Array.isArray(data.catalog) ? (data.catalog as CatalogEntry[]) : [],
    project_id: typeof data.project?.id === 'string' ? data.project.id : null,
    user_id: String(data.user?.id ?? ''),
  }
}
