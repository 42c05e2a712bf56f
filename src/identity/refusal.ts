/**
 * What the built-in identity answers when it does not do what was asked, in Keystone's words; made
 * HTTP in api/identity-v3/ only.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: number
  readonly title: string
  /** When to try again; null says nothing about it. */
  readonly retry_after_s: number | null
  constructor(code: number, title: string, message: string, retry_after_s: number | null = null) {
    super(message)
    this.code = code
    this.title = title
    this.retry_after_s = retry_after_s
  }
}

export const refusal = {
  badRequest: (message: string) => new Refusal(400, 'Bad Request', message),
  /** The same for every reason: who guesses learns nothing. */
  unauthorized: () =>
    new Refusal(401, 'Unauthorized', 'The request you have made requires authentication.'),
  forbidden: (action: string) =>
    new Refusal(
      403,
      'Forbidden',
      `You are not authorized to perform the requested action: ${action}.`,
    ),
  notFound: (kind: string, id: string) =>
    new Refusal(404, 'Not Found', `Could not find ${kind}: ${id.slice(0, 100)}.`),
  noToken: () => new Refusal(404, 'Not Found', 'Failed to validate token'),
  noPath: () => new Refusal(404, 'Not Found', 'The resource could not be found.'),
  method: () =>
    new Refusal(405, 'Method Not Allowed', 'The method is not allowed for the requested URL.'),
  conflict: (kind: string, name: string) =>
    new Refusal(
      409,
      'Conflict',
      `Conflict occurred attempting to store ${kind} - Duplicate entry found with name ${name.slice(0, 100)}.`,
    ),
  tooManyLogins: (retry_after_s: number) =>
    new Refusal(
      429,
      'Too Many Requests',
      `Too many failed logins; try again in ${retry_after_s} s.`,
      retry_after_s,
    ),
  busy: () => new Refusal(503, 'Service Unavailable', 'Too many logins at once; try again.', 1),
} as const
