/**
 * A session with a cloud: which endpoint, and a token for it, as openstackclient finds them.
 * Without any configuration it is the API of this machine, without authentication.
 */
import { readFileSync } from 'node:fs'
import { isObject } from '../model/field.ts'
import {
  type CloudOptions,
  type CloudSettings,
  isInsecure,
  readCloudSettings,
} from './cloud-settings.ts'
import { CommandFailure, EXIT } from './io.ts'

const LOCAL_ENDPOINT = 'http://127.0.0.1:9876'
const TIMEOUT_MS = 120_000

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface CloudAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The same as it came. */
  readonly bytes: Uint8Array
}

/** A service beside that of load balancers, by its type in the catalog. */
export type OtherService = 'network' | 'identity' | 'key-manager'

export interface OpenCloud {
  /** Of the load balancers, without a version and without a slash at the end. */
  readonly endpoint: string
  /** null where nobody has to prove who he is. */
  readonly token: string | null
  /** Where another service is; undefined if there is none. */
  endpointOf(service: OtherService): string | undefined
  /**
   * `target` is a path below `endpoint`, or a whole URL. Throws a CommandFailure only where there is
   * no answer at all. A token that has expired is renewed once. `accept` is JSON unless said.
   */
  request(method: string, target: string, body?: unknown, accept?: string): Promise<CloudAnswer>
}

interface Login {
  readonly token: string
  readonly catalog: readonly unknown[]
}

/** Throws a CommandFailure when there is no such cloud or it does not let us in. */
export async function openCloud(
  env: Readonly<Record<string, string | undefined>>,
  options: CloudOptions = {},
  send: Fetch = fetch,
): Promise<OpenCloud> {
  const settings = readCloudSettings(env, options)
  const call = createCaller(settings, send)
  const type = authTypeOf(settings)
  const { endpoint = LOCAL_ENDPOINT, token = null } = settings
  if (type === 'none') return fixedCloud(endpoint, null, call)
  if (type === 'token_endpoint') return fixedCloud(endpoint, token, call)
  const url = keystoneOf(settings)
  const login = () => logIn(call, url, identityOf(type, settings), scopeOf(type, settings))
  return new KeystoneCloud(await login(), login, settings, url, call)
}

/** A cloud without a catalog: one endpoint answers for all services, as the client's `none` has it. */
function fixedCloud(endpoint: string, token: string | null, call: Caller): OpenCloud {
  const base = withoutVersion(endpoint)
  return {
    endpoint: base,
    token,
    endpointOf: (service) => ON_ONE_ENDPOINT[service](base),
    request: (method, target, body, accept) =>
      call(method, absolute(base, target), token, body, accept),
  }
}

/** Where other services are when there is one endpoint for all: as `octavia-lite serve` has them. */
const ON_ONE_ENDPOINT: Readonly<Record<OtherService, (base: string) => string | undefined>> = {
  network: (base) => base,
  identity: () => undefined,
  'key-manager': (base) => `${base}/key-manager`,
}

class KeystoneCloud implements OpenCloud {
  readonly endpoint: string
  #login: Login
  readonly #again: () => Promise<Login>
  readonly #settings: CloudSettings
  readonly #keystone: string
  readonly #call: Caller

  constructor(
    login: Login,
    again: () => Promise<Login>,
    settings: CloudSettings,
    keystone: string,
    call: Caller,
  ) {
    this.#login = login
    this.#again = again
    this.#settings = settings
    this.#keystone = keystone
    this.#call = call
    const found = settings.endpoint ?? findEndpoint(login.catalog, 'load-balancer', settings)
    if (found === undefined) {
      const where = settings.region_name === undefined ? '' : ` in region ${settings.region_name}`
      throw new CommandFailure(
        `the catalog has no load-balancer service${where}; pass --os-endpoint URL`,
      )
    }
    this.endpoint = withoutVersion(found)
  }

  get token(): string {
    return this.#login.token
  }

  endpointOf(service: OtherService): string | undefined {
    if (service === 'identity') return this.#keystone
    const found = findEndpoint(this.#login.catalog, service, this.#settings)
    return found === undefined ? ON_ONE_ENDPOINT[service](this.endpoint) : withoutVersion(found)
  }

  async request(
    method: string,
    target: string,
    body?: unknown,
    accept?: string,
  ): Promise<CloudAnswer> {
    const url = absolute(this.endpoint, target)
    const answer = await this.#call(method, url, this.token, body, accept)
    if (answer.status !== 401) return answer
    this.#login = await this.#again()
    return await this.#call(method, url, this.token, body, accept)
  }
}

type AuthType = 'none' | 'token_endpoint' | 'token' | 'password' | 'application_credential'

const AUTH_TYPES: Readonly<Record<string, AuthType>> = {
  none: 'none',
  noauth: 'none',
  token_endpoint: 'token_endpoint',
  admin_token: 'token_endpoint',
  token: 'token',
  v3token: 'token',
  password: 'password',
  v3password: 'password',
  v3applicationcredential: 'application_credential',
}

/** What is configured decides where the type is not named. */
function authTypeOf(settings: CloudSettings): AuthType {
  const { auth_type, auth_url, token, endpoint } = settings
  if (auth_type !== undefined) {
    const type = Object.hasOwn(AUTH_TYPES, auth_type) ? AUTH_TYPES[auth_type] : undefined
    if (type !== undefined) return type
    const known = Object.keys(AUTH_TYPES).join(', ')
    throw new CommandFailure(`the auth type '${auth_type}' is not one of ${known}`, EXIT.usage)
  }
  if (settings.application_credential_secret !== undefined) return 'application_credential'
  if (token !== undefined) return auth_url === undefined ? 'token_endpoint' : 'token'
  if (auth_url === undefined && (endpoint !== undefined || settings.username === undefined))
    return 'none'
  return 'password'
}

function keystoneOf({ auth_url }: CloudSettings): string {
  if (auth_url === undefined)
    throw new CommandFailure('OS_AUTH_URL is missing; or name a cloud by OS_CLOUD', EXIT.usage)
  return auth_url.replace(/\/+$/, '').replace(/\/v3$/, '')
}

function identityOf(type: AuthType, settings: CloudSettings): unknown {
  if (type === 'token') return { methods: ['token'], token: { id: need(settings, 'token') } }
  if (type === 'application_credential') {
    const secret = need(settings, 'application_credential_secret')
    const { application_credential_id: id } = settings
    const credential =
      id === undefined
        ? { name: need(settings, 'application_credential_name'), secret, user: userOf(settings) }
        : { id, secret }
    return { methods: ['application_credential'], application_credential: credential }
  }
  const password = need(settings, 'password')
  return { methods: ['password'], password: { user: { ...userOf(settings), password } } }
}

function need(settings: CloudSettings, name: keyof CloudSettings): string {
  const value = settings[name]
  if (value !== undefined) return value
  throw new CommandFailure(`OS_${name.toUpperCase()} is missing`, EXIT.usage)
}

function userOf(settings: CloudSettings): Readonly<Record<string, unknown>> {
  const { user_id, user_domain_id, user_domain_name } = settings
  if (user_id !== undefined) return { id: user_id }
  const domain = domainOf(user_domain_id, user_domain_name, settings)
  return { name: need(settings, 'username'), domain }
}

function domainOf(
  id: string | undefined,
  name: string | undefined,
  { default_domain = 'default' }: CloudSettings,
): Readonly<Record<string, string>> {
  if (id !== undefined) return { id }
  return name === undefined ? { id: default_domain } : { name }
}

/** An application credential has the scope in which it was made. */
function scopeOf(type: AuthType, settings: CloudSettings): unknown {
  if (type === 'application_credential') return undefined
  const { project_id, project_name, domain_id, domain_name, system_scope } = settings
  if (project_id !== undefined) return { project: { id: project_id } }
  if (project_name !== undefined) {
    const { project_domain_id, project_domain_name } = settings
    const domain = domainOf(project_domain_id, project_domain_name, settings)
    return { project: { name: project_name, domain } }
  }
  if (system_scope !== undefined) return { system: { all: true } }
  if (domain_id !== undefined) return { domain: { id: domain_id } }
  return domain_name === undefined ? undefined : { domain: { name: domain_name } }
}

async function logIn(call: Caller, url: string, identity: unknown, scope: unknown): Promise<Login> {
  const auth = { identity, ...(scope === undefined ? {} : { scope }) }
  const { status, headers, text } = await call('POST', `${url}/v3/auth/tokens`, null, { auth })
  const subject = headers.get('x-subject-token')
  if (status === 401)
    throw new CommandFailure(
      `Keystone at ${url} refused the login (HTTP 401): ${reasonIn(text)}; ` +
        'check user, password, project and domains in OS_* or clouds.yaml',
    )
  if (status !== 201 || subject === null)
    throw new CommandFailure(
      `Keystone at ${url} answered the login with ${status}: ${reasonIn(text)}; check OS_AUTH_URL`,
    )
  const body = parsed(text)
  const token = isObject(body) && isObject(body.token) ? body.token : {}
  return { token: subject, catalog: Array.isArray(token.catalog) ? token.catalog : [] }
}

/** The text of a fault, in Octavia's, Keystone's or Neutron's form, or the beginning of what came. */
export function reasonIn(text: string): string {
  const body = parsed(text)
  if (!isObject(body)) return text === '' ? 'no further reason' : text.slice(0, 300)
  const own = body.faultstring ?? body.description
  if (typeof own === 'string') return own
  const inner = Object.values(body).find(isObject)
  return typeof inner?.message === 'string' ? inner.message : text.slice(0, 300)
}

function findEndpoint(
  catalog: readonly unknown[],
  type: string,
  { region_name, interface: wanted = 'public' }: CloudSettings,
): string | undefined {
  const face = wanted.replace(/URL$/, '')
  const services = catalog.filter(isObject).filter((service) => service.type === type)
  const endpoint = services
    .flatMap(({ endpoints }) => (Array.isArray(endpoints) ? endpoints : []))
    .filter(isObject)
    .find(
      (each) =>
        each.interface === face &&
        (region_name === undefined || [each.region, each.region_id].includes(region_name)),
    )
  return typeof endpoint?.url === 'string' ? endpoint.url : undefined
}

function withoutVersion(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/v[12](\.0)?$/, '')
}

function absolute(base: string, target: string): string {
  return target.startsWith('/') ? `${base}${target}` : target
}

type Caller = (
  method: string,
  url: string,
  token: string | null,
  body?: unknown,
  accept?: string,
) => Promise<CloudAnswer>

function createCaller(settings: CloudSettings, send: Fetch): Caller {
  const tls = {
    ...(settings.cacert === undefined ? {} : { ca: readCa(settings.cacert) }),
    ...(isInsecure(settings) ? { rejectUnauthorized: false } : {}),
  }
  return async (method, url, token, body, accept = 'application/json') => {
    const init = {
      method,
      redirect: 'manual',
      tls,
      headers: {
        accept,
        ...(token === null ? {} : { 'x-auth-token': token }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      // A proxy of the environment never reaches this machine.
      ...(/^https?:\/\/(127\.|localhost|\[::1\])/.test(url) ? { proxy: false } : {}),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }
    try {
      const response = await send(url, init as RequestInit)
      const bytes = Buffer.from(await response.arrayBuffer())
      const { status, headers } = response
      return { status, headers, text: bytes.toString('utf8'), bytes }
    } catch (cause) {
      throw new CommandFailure(unreachable(url, cause), EXIT.failure, cause)
    }
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CommandFailure(`the CA file ${path} cannot be read`, EXIT.usage, cause)
  }
}

/** Parsed JSON, undefined if it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unreachable(url: string, cause: unknown): string {
  const origin = URL.canParse(url) ? new URL(url).origin : url
  const code = isObject(cause) && typeof cause.code === 'string' ? cause.code : String(cause)
  if (/CERT|SIGNED|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code))
    return `the certificate of ${origin} is not trusted (${code}); name its CA by OS_CACERT or --os-cacert`
  if (origin === LOCAL_ENDPOINT)
    return (
      `nothing answers at ${origin}; start it with \`octavia-lite serve\`, ` +
      'or name a cloud by OS_CLOUD or --os-endpoint'
    )
  return `${origin} cannot be reached (${code}); check OS_AUTH_URL, OS_CLOUD or --os-endpoint`
}
