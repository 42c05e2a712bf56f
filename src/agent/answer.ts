/** What the agent answers. The texts are upstream's, because controllers look into them. */
export interface Answer {
  readonly status: number
  /** Text is sent as it is, anything else as JSON. */
  readonly body: unknown
  readonly etag?: string
}

/** Ends a request with this answer from anywhere below it. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly answer: Answer
  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(`${status} ${JSON.stringify(body)}`)
    this.answer = { status, body }
  }
}

/** The form in which upstream's framework reports what no handler answered. */
export function frameworkError(http_code: number, error: string): Answer {
  return { status: http_code, body: { error, http_code } }
}

export function responseOf(answer: Answer): Response {
  const text = typeof answer.body === 'string'
  const headers = new Headers({
    'content-type': text ? 'text/plain; charset=utf-8' : 'application/json',
  })
  if (answer.etag !== undefined) headers.set('etag', answer.etag)
  const body = text ? String(answer.body) : JSON.stringify(answer.body)
  return new Response(body, { status: answer.status, headers })
}
