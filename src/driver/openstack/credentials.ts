/** Who we are, as Keystone's API wants to be told. Pure. */

/** An id, or a name with its domain. */
export interface Named {
  readonly id: string | null
  readonly name: string | null
  readonly domain_id: string | null
  readonly domain_name: string | null
}

export type Scope =
  | { readonly kind: 'project'; readonly project: Named }
  | { readonly kind: 'domain'; readonly id: string | null; readonly name: string | null }
  | { readonly kind: 'system' }
  | { readonly kind: 'trust'; readonly id: string }
  | { readonly kind: 'none' }

/** Secret from here to the request. */
export type Credentials =
  | {
      readonly kind: 'password'
      readonly user: Named
      readonly password: string
      readonly scope: Scope
    }
  | {
      readonly kind: 'application_credential'
      readonly id: string | null
      readonly name: string | null
      /** With `name`: whose it is. */
      readonly user: Named
      readonly secret: string
    }

/** The body of POST /v3/auth/tokens. */
export function tokenRequest(credentials: Credentials): unknown {
  if (credentials.kind === 'password') {
    const { user, password, scope } = credentials
    const identity = { methods: ['password'], password: { user: { ...named(user), password } } }
    return { auth: { identity, ...scopeOf(scope) } }
  }
  const { id, name, user, secret } = credentials
  const application_credential = id === null ? { name, user: named(user), secret } : { id, secret }
  return { auth: { identity: { methods: ['application_credential'], application_credential } } }
}

function named({ id, name, domain_id, domain_name }: Named): object {
  if (id !== null) return { id }
  return { name, domain: domain_id === null ? { name: domain_name } : { id: domain_id } }
}

function scopeOf(scope: Scope): { scope?: unknown } {
  switch (scope.kind) {
    case 'project':
      return { scope: { project: named(scope.project) } }
    case 'domain':
      return { scope: { domain: scope.id === null ? { name: scope.name } : { id: scope.id } } }
    case 'system':
      return { scope: { system: { all: true } } }
    case 'trust':
      return { scope: { 'OS-TRUST:trust': { id: scope.id } } }
    case 'none':
      return {}
  }
}
