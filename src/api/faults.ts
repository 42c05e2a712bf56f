/**
 * The only place that makes answers of errors: faults as they are, everything else without its
 * text.
 */
import { DriverError } from '../driver/error.ts'
import { IdentityUnavailable, Unauthenticated } from '../driver/identity.ts'
import { Fault, fault } from '../model/fault.ts'
import { isStoreOutage } from '../store/failure.ts'
import type { Log } from '../system/log.ts'

const HEADERS = { 'content-type': 'application/json' } as const

/** Upstream's fault body (WSME). */
export function faultBody(code: number, faultstring: string): string {
  const faultcode = code < 500 ? 'Client' : 'Server'
  return JSON.stringify({ faultcode, faultstring, debuginfo: null })
}

/** An error of the routing layer, whose body is not a fault: no such path, method or format. */
export class RoutingError extends Error {
  override readonly name = 'RoutingError'
  readonly code: 404 | 405 | 406
  /** Methods, for 405. */
  readonly allow: readonly string[]
  constructor(code: 404 | 405 | 406, allow: readonly string[] = []) {
    super(TEXTS[code].description)
    this.code = code
    this.allow = allow
  }
}

const TEXTS = {
  404: { title: 'Not Found', description: 'The resource could not be found.' },
  405: {
    title: 'Method Not Allowed',
    description: 'The method is not allowed for this resource.',
  },
  406: {
    title: 'Not Acceptable',
    description: 'Only content type application/json is accepted.',
  },
} as const

/** The answer to an error; logs what is not the caller's doing. */
export function answerOfError(error: unknown, log: Log): Response {
  if (error instanceof RoutingError) {
    const { code, allow } = error
    const headers = allow.length > 0 ? { ...HEADERS, allow: allow.join(', ') } : HEADERS
    return new Response(JSON.stringify({ code, ...TEXTS[code] }), { status: code, headers })
  }
  if (error instanceof Unauthenticated) return unauthenticated(error)
  if (error instanceof IdentityUnavailable)
    return new Response(
      JSON.stringify({ code: 503, title: 'Service Unavailable', message: error.message }),
      { status: 503, headers: HEADERS },
    )
  const shown = faultOf(error, log)
  return new Response(faultBody(shown.code, shown.message), {
    status: shown.code,
    headers: HEADERS,
  })
}

/** The form of keystonemiddleware. */
function unauthenticated({ message, challenge }: Unauthenticated): Response {
  return new Response(JSON.stringify({ error: { code: 401, title: 'Unauthorized', message } }), {
    status: 401,
    headers: { ...HEADERS, 'www-authenticate': challenge },
  })
}

/** What a caller is told of an error; logs what is not the caller's doing. */
export function faultOf(error: unknown, log: Log): Fault {
  if (error instanceof Fault) return error
  if (error instanceof DriverError) {
    log.error('the request failed in a driver', { error })
    return fault.providerError('amphora', `${error.operation} failed: ${error.reason}`)
  }
  if (isStoreOutage(error)) {
    log.error('the database refused a request', { error })
    return fault.unavailable('The database is not available. Please try again.')
  }
  const stack = error instanceof Error ? error.stack : undefined
  log.error('a bug: the request failed unexpectedly', { error, stack })
  return new Fault(500, 'Something unknown went wrong')
}
