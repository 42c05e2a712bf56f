/**
 * One service of an OpenStack cloud: where it is, in which version it is spoken to, and what its
 * answers mean. Answers that say "later" are asked for again within limits, except after a POST
 * that may have been carried out: whoever creates something looks first whether it is there. Every
 * call is a line of the log at debug, with the request id by which the service's own log knows it;
 * bodies are never logged.
 */
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { DriverError } from '../error.ts'
import type { ServiceEndpoint } from './catalog.ts'
import {
  call,
  isRepeatable,
  pauseAfter,
  type ServiceRequest,
  type ServiceResponse,
  type TransportOptions,
} from './http.ts'
import { refusalOf, ServiceRefusal } from './refusal.ts'
import { type Session, withToken } from './session.ts'

export interface ServiceOptions {
  /** Its name for people: `Nova`. */
  readonly title: string
  readonly endpoint: ServiceEndpoint
  /** `v2.0`; added where the endpoint does not end in a version of its own. */
  readonly version: string
  /** Of every request: the microversion. */
  readonly headers?: Readonly<Record<string, string>>
  readonly transport: TransportOptions
  /** Attempts after the first, where the service answered that it cannot work now. */
  readonly status_retries: number
}

export interface ServiceCall extends ServiceRequest {
  /** For errors, as in DriverFailure. */
  readonly operation: string
  readonly subject: string
  /** Below the version: `/ports/<id>`. Escape what is not ours. */
  readonly path: string
  /** Failures that are answers to the caller, mostly 404. */
  readonly expect?: readonly number[]
  /** Secret: asks with the token of a user instead of ours. */
  readonly token?: string
}

export interface Service {
  /** Answers of success and those of `expect`; throws ServiceRefusal for all others. */
  request(call: ServiceCall): Promise<ServiceResponse>
}

interface Dependencies {
  readonly clock: Clock
  readonly log: Log
  readonly session: Session
}

/** Longer pauses than this are the flow's to make, which can be stopped meanwhile. */
const RETRY_AFTER_MS_MAX = 10_000
/** At a time; the runtime has 256 for all services, and a hung one must leave some to others. */
const CALLS_MAX = 48
const WAITING_MAX = 1_000

export function createService(deps: Dependencies, options: ServiceOptions): Service {
  const { clock, log, session } = deps
  const { title, transport, status_retries } = options
  const enter = createGate(title)

  const send = async (asked: ServiceCall): Promise<ServiceResponse> => {
    const url = `${versioned(await session.endpoint(options.endpoint), options.version)}${asked.path}`
    const request = { ...asked, headers: { ...options.headers, ...asked.headers } }
    const started = clock.now()
    const answer = await (asked.token === undefined
      ? session.request(url, request, transport)
      : call(clock, transport, url, withToken(request, asked.token)))
    log.debug(`${title} answered`, {
      method: asked.method,
      path: asked.path,
      status: answer.status,
      duration_ms: clock.now() - started,
      service_request: requestIdOf(answer),
    })
    return answer
  }

  const attempt = async (asked: ServiceCall): Promise<ServiceResponse> => {
    for (let attempts = 0; ; attempts++) {
      const answer = await send(asked)
      if (isSuccess(answer) || asked.expect?.includes(answer.status)) return answer
      // A 429 comes before any work; behind a 503 there may be some.
      const later = answer.status === 429 || (answer.status === 503 && isRepeatable(asked))
      if (!later || attempts >= status_retries) throw refused(title, asked, answer)
      await clock.sleep(retryAfter(answer, clock.now()) ?? pauseAfter(attempts))
    }
  }

  return {
    request: async (asked) => {
      const leave = await enter(asked)
      try {
        return await attempt(asked)
      } catch (error) {
        // What the transport throws does not know what it was for.
        if (!(error instanceof DriverError) || error.operation !== 'call') throw error
        const { operation, subject } = asked
        const reason = `${title} at ${error.subject}: ${error.reason}`
        const { retryable, outage } = error
        throw new DriverError({ operation, subject, reason, retryable, outage, cause: error.cause })
      } finally {
        leave()
      }
    },
  }
}

function isSuccess({ status }: ServiceResponse): boolean {
  return status >= 200 && status < 300
}

function refused(title: string, asked: ServiceCall, answer: ServiceResponse): DriverError {
  const { operation, subject } = asked
  const { reason, ...refusal } = refusalOf(title, answer)
  const id = requestIdOf(answer)
  const named = id === undefined ? reason : `${reason} [${id}]`
  return new ServiceRefusal({ operation, subject, reason: named, ...refusal }, answer)
}

/** By this the service's own log knows the request. */
function requestIdOf({ headers }: ServiceResponse): string | undefined {
  const id = headers.get('x-openstack-request-id') ?? headers.get('x-compute-request-id')
  return id !== null && /^[\w.-]{1,80}$/.test(id) ? id : undefined
}

/** What the service asks for, seconds or a date; undefined where it asks for nothing. */
function retryAfter({ headers }: ServiceResponse, now: number): number | undefined {
  const text = headers.get('retry-after')
  if (text === null) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX)
}

function versioned(base: string, version: string): string {
  return /\/v\d+(\.\d+)?(\/|$)/.test(base) ? base : `${base}/${version}`
}

/** Lets a number of calls in at a time, the others in their order; and refuses a crowd. */
function createGate(title: string): (asked: ServiceCall) => Promise<() => void> {
  let inside = 0
  const waiting: (() => void)[] = []
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) inside--
    else next()
  }
  return async ({ operation, subject }) => {
    if (inside < CALLS_MAX) {
      inside++
      return leave
    }
    if (waiting.length >= WAITING_MAX)
      throw new DriverError({
        operation,
        subject,
        reason: `${WAITING_MAX} calls of ${title} wait already`,
        retryable: true,
        outage: true,
      })
    await new Promise<void>((resolve) => waiting.push(resolve))
    return leave
  }
}
