/**
 * What an answer of a service that is no success means: one clause for the operator, and whether
 * asking again can help. Pure. Forms of the bodies: Nova and Cinder `{badRequest: {message}}`,
 * Neutron `{NeutronError: {type, message}}`, Keystone `{error: {message}}`, Barbican
 * `{title, description}`; Glance and proxies send HTML, of which only the status is told.
 */
import { DriverError, type DriverFailure } from '../error.ts'
import { record, text } from './json.ts'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export interface Refusal {
  readonly reason: string
  readonly hint?: string
  readonly retryable: boolean
  readonly outage: boolean
}

/** What a service answered; flows see a DriverError, drivers may look at what it said. */
export class ServiceRefusal extends DriverError {
  readonly status: number
  /** The kind of the problem, where the service tells it, as Neutron does: `OverQuota`. */
  readonly type: string
  constructor(failure: DriverFailure, answer: Answer) {
    super(failure)
    this.status = answer.status
    this.type = problemOf(answer.body).type
  }
}

const MESSAGE_MAX = 400
/** Neutron's conflicts that stay: the address is taken, or there is none left. */
const LASTING_CONFLICT =
  /^(IpAddressInUse|IpAddressAlreadyAllocated|IpAddressGenerationFailure|MacAddressInUse)/

/** `service` is its name for people: Nova. */
export function refusalOf(service: string, { status, body }: Answer): Refusal {
  const { type, message } = problemOf(body)
  const said = message === '' ? '' : `: ${message}`
  const passing = { retryable: true, outage: true }
  const final = { retryable: false, outage: false }
  if (isQuota(status, type, message))
    return {
      reason: `a quota of ${service} is used up${said}`,
      hint: 'raise it with openstack quota set, or delete what is not needed',
      ...final,
    }
  switch (status) {
    case 401:
      return {
        reason: `${service} does not accept our token${said}`,
        hint: 'see the user, its project and their domains in [service_auth]',
        ...final,
      }
    case 403:
      return {
        reason: `${service} does not let our user do it${said}`,
        hint: `give it the role that the policy of ${service} asks for, mostly admin`,
        ...final,
      }
    case 404:
      return { reason: `${service} does not have it${said}`, ...final }
    case 409:
      return {
        reason: `${service} answered that it conflicts with something${said}`,
        retryable: !LASTING_CONFLICT.test(type),
        outage: false,
      }
    case 413:
    case 429:
      return { reason: `${service} is asked too often (${status})${said}`, ...passing }
    case 500:
      return {
        reason: `${service} failed (500)${said}`,
        hint: 'see its log',
        retryable: true,
        outage: false,
      }
  }
  if (status > 500)
    return {
      reason: `${service} cannot work now (${status})${said}`,
      hint: 'see its log',
      ...passing,
    }
  return { reason: `${service} refuses it (${status})${said}`, ...final }
}

/** Nova says 403, Neutron 409, Cinder 413; all of them say quota. */
function isQuota(status: number, type: string, message: string): boolean {
  if (![400, 403, 409, 413].includes(status)) return false
  return (
    type === 'OverQuota' ||
    /\bquota\b.*\bexceed|\bexceed.*\bquota\b|\bmaximum number of .* exceeded/i.test(message)
  )
}

/** The kind of a problem, where the service tells it, and its message on one line. */
export function problemOf(body: unknown): { readonly type: string; readonly message: string } {
  const own = record(body) ?? {}
  const inner = Object.values(own)
    .map(record)
    .find((each) => text(each?.message) !== undefined)
  const from = inner ?? own
  const message = text(from.message) ?? text(from.description) ?? ''
  return { type: text(from.type) ?? '', message: oneLine(message) }
}

function oneLine(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim().replace(/\.$/, '')
  return line.length > MESSAGE_MAX ? `${line.slice(0, MESSAGE_MAX)}...` : line
}
