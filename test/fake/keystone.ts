/** A Keystone on loopback that behaves: users log in, tokens end and are revoked, it goes down. */

export interface TokenSpec {
  readonly user_id?: string
  readonly project_id?: string
  readonly domain_id?: string
  readonly system?: boolean
  readonly roles?: readonly string[]
  readonly expires_ms?: number
  readonly access_rules?: readonly { service: string; method: string; path: string }[]
}

export interface FakeKeystone {
  readonly url: string
  /** Method and path of every request, oldest first. */
  readonly requests: readonly string[]
  /** Bodies of logins. */
  readonly logins: readonly unknown[]
  /** A new token of somebody. */
  issue(spec: TokenSpec): string
  revoke(token: string): void
  /** Whether a service would take it. */
  accepts(token: string): boolean
  /** Whose token it is. */
  identify(token: string): { readonly user_id: string; readonly project_id: string }
  /** Tells of another service in its catalogue. */
  register(service: { readonly type: string; readonly name: string; readonly url: string }): void
  /** All tokens of our own user. */
  revokeServiceTokens(): void
  /** Answers every question with this status until told otherwise. */
  failWith(status: number | null): void
  /** Questions wait until this resolves. */
  hold(until: Promise<void> | null): void
  goDown(): Promise<void>
  comeUp(): void
  stop(): Promise<void>
}

export const SERVICE_PASSWORD = 'the-password-of-the-service'
const HOUR_MS = 3_600_000

interface Options {
  readonly now: () => number
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Below the host: Keystone behind a web server. */
  readonly path?: string
}

export function createFakeKeystone(options: Options): FakeKeystone {
  const { now, path = '' } = options
  const requests: string[] = []
  const logins: unknown[] = []
  const tokens = new Map<string, Required<Pick<TokenSpec, 'expires_ms'>> & TokenSpec>()
  const serviceTokens = new Set<string>()
  const registered: object[] = []
  let failure: number | null = null
  let held: Promise<void> | null = null
  let count = 0

  const issue = (spec: TokenSpec): string => {
    const token = `gAAAA-${++count}-${spec.user_id ?? 'user'}`
    tokens.set(token, { ...spec, expires_ms: spec.expires_ms ?? now() + HOUR_MS })
    return token
  }

  async function logIn(request: Request, origin: string): Promise<Response> {
    // biome-ignore lint/suspicious/noExplicitAny: a test looks at it
    const body: any = await request.json()
    logins.push(body)
    const { password, application_credential } = body.auth.identity
    const right =
      password?.user.password === SERVICE_PASSWORD ||
      (application_credential?.id === 'cred' && application_credential.secret === SERVICE_PASSWORD)
    if (!right) return Response.json({ error: { code: 401 } }, { status: 401 })
    const token = issue({ user_id: 'octavia', project_id: 'service', roles: ['admin'] })
    serviceTokens.add(token)
    const endpoints = [
      { interface: 'public', region_id: 'RegionOne', url: `${origin}${path}` },
      { interface: 'internal', region_id: 'RegionTwo', url: 'http://127.0.0.1:9/not-here' },
      { interface: 'internal', region_id: 'RegionOne', url: `${origin}${path}/v3/` },
    ]
    const catalog = [{ type: 'identity', name: 'keystone', endpoints }, ...registered]
    const expires_at = new Date(tokens.get(token)?.expires_ms ?? 0).toISOString()
    return Response.json(
      { token: { user: { id: 'octavia' }, project: { id: 'service' }, expires_at, catalog } },
      { status: 201, headers: { 'x-subject-token': token } },
    )
  }

  function check(request: Request, url: URL): Response {
    const own = tokens.get(request.headers.get('x-auth-token') ?? '')
    if (own === undefined || own.expires_ms <= now())
      return Response.json({ error: { code: 401 } }, { status: 401 })
    const asked = tokens.get(request.headers.get('x-subject-token') ?? '')
    const expiredToo = url.searchParams.get('allow_expired') === '1'
    if (asked === undefined || (asked.expires_ms <= now() && !expiredToo))
      return Response.json({ error: { code: 404 } }, { status: 404 })
    if (asked.access_rules && request.headers.get('openstack-identity-access-rules') === null)
      return Response.json({ error: { code: 404 } }, { status: 404 })
    return Response.json({ token: describe(asked) })
  }

  let server = open(0)
  function open(port: number) {
    return Bun.serve({
      port,
      hostname: '127.0.0.1',
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      fetch: async (request) => {
        const url = new URL(request.url)
        requests.push(`${request.method} ${url.pathname}${url.search}`)
        if (held !== null) await held
        if (failure !== null) return new Response('<html>no</html>', { status: failure })
        if (url.pathname !== `${path}/v3/auth/tokens`) return new Response(null, { status: 404 })
        return request.method === 'POST' ? await logIn(request, url.origin) : check(request, url)
      },
    })
  }
  const port = server.port ?? 0
  const scheme = options.tls === undefined ? 'http' : 'https'

  return {
    url: `${scheme}://${options.tls === undefined ? '127.0.0.1' : 'localhost'}:${port}${path}`,
    requests,
    logins,
    issue,
    revoke: (token) => void tokens.delete(token),
    accepts: (token) => (tokens.get(token)?.expires_ms ?? 0) > now(),
    identify: (token) => {
      const { user_id = '', project_id = '' } = tokens.get(token) ?? {}
      return { user_id, project_id }
    },
    register: ({ type, name, url }) => {
      const endpoints = ['public', 'internal', 'admin'].map((one) => ({
        interface: one,
        region_id: 'RegionOne',
        url,
      }))
      registered.push({ type, name, endpoints })
    },
    revokeServiceTokens: () => {
      for (const token of serviceTokens) tokens.delete(token)
    },
    failWith: (status) => {
      failure = status
    },
    hold: (until) => {
      held = until
    },
    goDown: () => server.stop(true),
    comeUp: () => {
      server = open(port)
    },
    stop: () => server.stop(true),
  }
}

function describe(spec: TokenSpec & { readonly expires_ms: number }): object {
  return {
    methods: ['password'],
    user: { id: spec.user_id ?? 'user', name: 'someone', domain: { id: 'default' } },
    expires_at: new Date(spec.expires_ms).toISOString().replace('Z', '000Z'),
    roles: (spec.roles ?? []).map((name) => ({ id: `id-of-${name}`, name })),
    ...(spec.project_id === undefined ? {} : { project: { id: spec.project_id, name: 'p' } }),
    ...(spec.domain_id === undefined ? {} : { domain: { id: spec.domain_id, name: 'd' } }),
    ...(spec.system === true ? { system: { all: true } } : {}),
    ...(spec.access_rules === undefined
      ? {}
      : { application_credential: { id: 'ac', access_rules: spec.access_rules } }),
  }
}
