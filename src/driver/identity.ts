/**
 * The seam to whoever knows callers: nobody (noauth, in api/), Keystone (in openstack/), or the
 * built-in identity (in identity/).
 */
export interface Caller {
  readonly user_id: string | null
  readonly project_id: string | null
  readonly roles: readonly string[]
  /** Everything is allowed: `auth_strategy = "noauth"`. */
  readonly is_admin: boolean
  /** `all`, where the token is one of the whole system. */
  readonly system_scope?: string
  /** Where the token is one of a domain. */
  readonly domain_id?: string
}

/** What a token may be limited to. */
export interface Asked {
  readonly method: string
  /** As the client sent it, without the query. */
  readonly path: string
}

export interface IdentityDriver {
  /**
   * The caller behind these request headers. Throws Unauthenticated for a bad or missing token and
   * IdentityUnavailable where nobody can tell.
   */
  identify(headers: Headers, asked: Asked): Promise<Caller>
}

/** 401, also where a token is good and does not allow this request. */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated'
  /** Value of WWW-Authenticate: where to get a token. */
  readonly challenge: string
  constructor(challenge: string) {
    super('The request you have made requires authentication.')
    this.challenge = challenge
  }
}

/** 503: tokens cannot be checked now, and may be later. */
export class IdentityUnavailable extends Error {
  override readonly name = 'IdentityUnavailable'
  constructor(cause: unknown) {
    super('The Keystone service is temporarily unavailable.', { cause })
  }
}
