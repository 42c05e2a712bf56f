/**
 * What a driver throws: which operation on which subject failed, why, what an operator can do, and
 * whether trying again can help. Flows decide by `retryable`, never by the text. No secret goes
 * into any part.
 */
export interface DriverFailure {
  /** Kebab-case: `plug-vip`. */
  readonly operation: string
  /** `amphora <id>`, `port <id>`. */
  readonly subject: string
  /** One clause: what went wrong. */
  readonly reason: string
  /** One clause: what to do about it. */
  readonly hint?: string
  readonly retryable: boolean
  /** Whether the other side did not answer at all, or said that it cannot work now. */
  readonly outage?: boolean
  readonly cause?: unknown
}

export class DriverError extends Error {
  override readonly name = 'DriverError'
  readonly operation: string
  readonly subject: string
  readonly reason: string
  readonly hint: string | undefined
  readonly retryable: boolean
  /** Nothing was decided about what was asked: worth more patience than an answer that says no. */
  readonly outage: boolean
  constructor(failure: DriverFailure) {
    const hint = failure.hint === undefined ? '' : ` (${failure.hint})`
    super(`${failure.operation} of ${failure.subject}: ${failure.reason}${hint}`, {
      cause: failure.cause,
    })
    this.operation = failure.operation
    this.subject = failure.subject
    this.reason = failure.reason
    this.hint = failure.hint
    this.retryable = failure.retryable
    this.outage = failure.retryable && failure.outage === true
  }
}
