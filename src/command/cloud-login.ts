/**
 * From OS_* variables and clouds.yaml, as every client of OpenStack reads them, to a token and the
 * endpoint of the load balancers. What names no cloud and gives no credentials means the serve of
 * this machine.
 */
import { readFileSync } from 'node:fs'
import { CLOUD_NAME, type CloudEntry, cloudsFileIn, readClouds } from './clouds-file.ts'
import { CommandFailure, EXIT } from './io.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface CloudOptions {
  /** Instead of OS_CLOUD. */
  readonly cloud?: string
  /** Of the load balancers, instead of that in the catalogue. */
  readonly endpoint?: string
  /** Where a serve of this machine keeps its data, with a clouds.yaml. */
  readonly data_dir?: string
}

export interface OpenCloud {
  /** Of the load balancers, without a version and without a slash at the end. */
  readonly endpoint: string
  /** null where nobody has to prove who he is. */
  readonly token: string | null
  /** `path` begins with /. Throws a CommandFailure only where there is no answer at all. */
  request(method: string, path: string, body?: unknown): Promise<CloudAnswer>
}

export interface CloudAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

const LOCAL_ENDPOINT = 'http://127.0.0.1:9876'
const TIMEOUT_MS = 60_000

/**
 * Throws a CommandFailure with one sentence when there is no such cloud or it does not let us in.
 */
export async function openCloud(env: Environment, options: CloudOptions = {}): Promise<OpenCloud> {
  const settings = resolveSettings(env, options)
  const session = createSession(settings)
  const type = authTypeOf(settings)
  if (type === 'none') return opened(session, settings.endpoint ?? LOCAL_ENDPOINT, null)
  if (type === 'token_endpoint' || type === 'admin_token')
    return opened(session, needed(settings, 'endpoint'), needed(settings, 'token'))
  const { token, catalog } = await logIn(session, settings, type)
  const endpoint = settings.endpoint ?? endpointIn(catalog, settings)
  return opened(session, endpoint, token)
}

/** Values by the names they have in clouds.yaml: those of `auth` and those beside it. */
type Settings = Readonly<Record<string, string | undefined>>

/** OS_* variables win over the file, as with every client. */
export function resolveSettings(env: Environment, options: CloudOptions): Settings {
  const named = options.cloud ?? nonEmpty(env.OS_CLOUD)
  const found = fileEntry(env, options, named)
  const { auth, ...beside } = found ?? {}
  const out: Record<string, string | undefined> = {}
  for (const [name, value] of [...Object.entries(beside), ...Object.entries(auth ?? {})])
    if (['string', 'number', 'boolean'].includes(typeof value)) out[name] = String(value)
  for (const name of VARIABLES) {
    const value = nonEmpty(env[`OS_${name.toUpperCase()}`])
    if (value !== undefined) out[name] = value
  }
  const endpoint = options.endpoint ?? out.load_balancer_endpoint_override ?? out.endpoint
  return { ...out, endpoint: endpoint?.replace(/\/+$/, '').replace(/\/v2(\.0)?(\/lbaas)?$/, '') }
}

const VARIABLES = [
  'auth_type',
  'auth_url',
  'username',
  'user_id',
  'password',
  'user_domain_name',
  'user_domain_id',
  'project_name',
  'project_id',
  'project_domain_name',
  'project_domain_id',
  'default_domain',
  'application_credential_id',
  'application_credential_name',
  'application_credential_secret',
  'token',
  'region_name',
  'interface',
  'cacert',
  'insecure',
  'endpoint',
] as const

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/** The entry of the cloud that is meant; undefined where none is and the variables have to do. */
function fileEntry(
  env: Environment,
  { data_dir }: CloudOptions,
  named: string | undefined,
): CloudEntry | undefined {
  const ours = data_dir === undefined ? [] : [cloudsFileIn(data_dir)]
  const files = [
    ...(nonEmpty(env.OS_CLIENT_CONFIG_FILE) === undefined ? [] : [env.OS_CLIENT_CONFIG_FILE ?? '']),
    'clouds.yaml',
    ...(env.HOME === undefined ? [] : [`${env.HOME}/.config/openstack/clouds.yaml`]),
    '/etc/openstack/clouds.yaml',
  ]
  if (named === undefined) {
    const alone =
      nonEmpty(env.OS_AUTH_URL) === undefined && nonEmpty(env.OS_AUTH_TYPE) === undefined
    return alone && ours[0] !== undefined ? readClouds(ours[0])?.[CLOUD_NAME] : undefined
  }
  // Only the first file counts for other clients; that beside the data comes after it.
  const first = files.find((file) => readClouds(file) !== undefined)
  for (const file of [...(first === undefined ? [] : [first]), ...ours]) {
    const clouds = readClouds(file)
    if (clouds !== undefined && Object.hasOwn(clouds, named)) return clouds[named]
  }
  throw new CommandFailure(
    `there is no cloud ${named} in ${[first ?? files, ours].flat().join(', ')}`,
  )
}

type AuthType = 'none' | 'token_endpoint' | 'admin_token' | LoginType
const LOGIN_TYPES = ['password', 'v3applicationcredential', 'v3token'] as const
type LoginType = (typeof LOGIN_TYPES)[number]

function authTypeOf(settings: Settings): AuthType {
  const { auth_type } = settings
  switch (auth_type) {
    case undefined:
      if (settings.application_credential_secret !== undefined) return 'v3applicationcredential'
      if (settings.auth_url === undefined) return 'none'
      return settings.token !== undefined && settings.password === undefined
        ? 'v3token'
        : 'password'
    case 'v3password':
      return 'password'
    case 'token':
      return 'v3token'
    case 'none':
    case 'token_endpoint':
    case 'admin_token':
      return auth_type
    default: {
      const known = LOGIN_TYPES.find((type) => type === auth_type)
      if (known === undefined)
        throw new CommandFailure(
          `auth_type ${auth_type} is not known here; use ${LOGIN_TYPES.join(', ')}`,
        )
      return known
    }
  }
}

function needed(settings: Settings, name: string): string {
  const value = settings[name]
  if (value === undefined)
    throw new CommandFailure(
      `to log in, ${name} is needed: set OS_${name.toUpperCase()}, or OS_CLOUD to a cloud of clouds.yaml`,
      EXIT.usage,
    )
  return value
}

type Send = (url: string, init: RequestInit) => Promise<CloudAnswer>

/** Sends requests with the certificates of these settings. */
function createSession({ cacert, insecure, verify }: Settings): Send {
  const unchecked = insecure?.toLowerCase() === 'true' || insecure === '1' || verify === 'false'
  const tls = unchecked
    ? { rejectUnauthorized: false }
    : cacert === undefined
      ? undefined
      : { ca: readCa(cacert) }
  return async (url, init) => {
    // No proxy can reach this machine's own addresses for us.
    const own = /^https?:\/\/(127\.|localhost[:/]|\[::1\])/.test(`${url}/`)
    try {
      const response = await fetch(url, {
        ...init,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'manual',
        ...(own ? { proxy: false } : {}),
        ...(tls === undefined ? {} : { tls }),
      } as RequestInit)
      return { status: response.status, headers: response.headers, text: await response.text() }
    } catch (cause) {
      const { code, message } = cause as { code?: string; message?: string }
      throw new CommandFailure(
        `nothing answers at ${new URL(url).origin}: ${code ?? message}`,
        EXIT.failure,
        cause,
      )
    }
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CommandFailure(`${path} cannot be read`, EXIT.failure, cause)
  }
}

interface Login {
  readonly token: string
  readonly catalog: readonly CatalogEntry[]
}

interface CatalogEntry {
  readonly type: string
  readonly endpoints: readonly {
    readonly interface: string
    readonly region?: string | null
    readonly url: string
  }[]
}

async function logIn(send: Send, settings: Settings, type: LoginType): Promise<Login> {
  const given = needed(settings, 'auth_url').replace(/\/+$/, '')
  const url = `${/\/v3$/.test(given) ? given : `${given}/v3`}/auth/tokens`
  const answer = await send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ auth: authOf(settings, type) }),
  })
  const token = answer.headers.get('x-subject-token')
  if (answer.status !== 201 || token === null)
    throw new CommandFailure(`${url} does not let us in: ${answer.status} ${reasonIn(answer.text)}`)
  const { token: body } = JSON.parse(answer.text) as { token: { catalog?: CatalogEntry[] } }
  return { token, catalog: body.catalog ?? [] }
}

function authOf(settings: Settings, type: LoginType): Record<string, unknown> {
  const user = (): Record<string, unknown> => reference(settings, 'user_id', 'username', 'user')
  switch (type) {
    case 'password': {
      const password = needed(settings, 'password')
      const identity = { methods: ['password'], password: { user: { ...user(), password } } }
      return { identity, ...scopeOf(settings) }
    }
    case 'v3token': {
      const id = needed(settings, 'token')
      return { identity: { methods: ['token'], token: { id } }, ...scopeOf(settings) }
    }
    case 'v3applicationcredential': {
      const secret = needed(settings, 'application_credential_secret')
      const id = settings.application_credential_id
      const credential =
        id === undefined
          ? { name: needed(settings, 'application_credential_name'), user: user(), secret }
          : { id, secret }
      return {
        identity: { methods: ['application_credential'], application_credential: credential },
      }
    }
  }
}

function scopeOf(settings: Settings): Record<string, unknown> {
  if (settings.project_id === undefined && settings.project_name === undefined) return {}
  return { scope: { project: reference(settings, 'project_id', 'project_name', 'project') } }
}

function reference(
  settings: Settings,
  id: string,
  name: string,
  what: 'user' | 'project',
): Record<string, unknown> {
  if (settings[id] !== undefined) return { id: settings[id] }
  const domain = settings[`${what}_domain_name`]
  return {
    name: needed(settings, name),
    domain:
      domain === undefined
        ? { id: settings[`${what}_domain_id`] ?? settings.default_domain ?? 'default' }
        : { name: domain },
  }
}

function endpointIn(catalog: readonly CatalogEntry[], settings: Settings): string {
  const wanted = (settings.interface ?? 'public').replace(/URL$/, '')
  const region = settings.region_name
  const found = catalog
    .filter((entry) => entry.type === 'load-balancer')
    .flatMap((entry) => entry.endpoints)
    .find((each) => each.interface === wanted && (region === undefined || each.region === region))
  if (found === undefined)
    throw new CommandFailure(
      `the cloud has no load-balancer endpoint (${wanted}${region === undefined ? '' : `, ${region}`})`,
    )
  return found.url.replace(/\/+$/, '').replace(/\/v2(\.0)?$/, '')
}

/** The text of a fault, in any of the forms in use, or the beginning of what came instead. */
export function reasonIn(text: string): string {
  try {
    const body = JSON.parse(text) as { faultstring?: unknown; error?: { message?: unknown } }
    return String(body.faultstring ?? body.error?.message ?? text.slice(0, 200))
  } catch {
    return text.slice(0, 200)
  }
}

function opened(send: Send, endpoint: string, token: string | null): OpenCloud {
  return {
    endpoint,
    token,
    request: (method, path, body) =>
      send(`${endpoint}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          ...(token === null ? {} : { 'x-auth-token': token }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  }
}
