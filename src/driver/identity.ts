/**
 * The seam to whoever knows callers: nobody (noauth, in api/), or the built-in identity (in
 * identity/).
 */
export interface Caller {
  readonly user_id: string | null
  readonly project_id: string | null
  readonly roles: readonly string[]
  /** Everything is allowed: `auth_strategy = "noauth"`. */
  readonly is_admin: boolean
}

export interface IdentityDriver {
  /** The caller behind these request headers; throws Unauthenticated for a bad or missing token. */
  identify(headers: Headers): Promise<Caller>
}

/** The token is missing or bad. Answered 401, with `challenge` as WWW-Authenticate. */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated'
  readonly challenge: string
  constructor(challenge: string) {
    super('The request you have made requires authentication.')
    this.challenge = challenge
  }
}
