/**
 * The seam to whoever knows callers: nobody (noauth) now; Keystone and a built-in identity follow.
 */
export interface Caller {
  readonly user_id: string | null
  readonly project_id: string | null
  readonly roles: readonly string[]
  /** Everything is allowed: `auth_strategy = "noauth"`. */
  readonly is_admin: boolean
}

export interface IdentityDriver {
  /** The caller behind these request headers; throws a Fault for a bad or missing token. */
  identify(headers: Headers): Promise<Caller>
}
