/**
 * Callers as Keystone knows them: tokens are checked by it and believed for a while, as
 * keystonemiddleware does. Many requests with one token ask once. No token is logged.
 */
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { DriverError } from '../error.ts'
import { type IdentityDriver, IdentityUnavailable, Unauthenticated } from '../identity.ts'
import { identityUrl, type ServiceEndpoint } from './catalog.ts'
import type { Session } from './session.ts'
import { isAccessAllowed, parseToken, type TokenData } from './token.ts'
import { createTokenCache, digestOf } from './token-cache.ts'

export interface KeystoneOptions {
  readonly www_authenticate_uri: string
  readonly endpoint: ServiceEndpoint
  /** Seconds; 0 and less believe no token twice. */
  readonly token_cache_time: number
  readonly service_token_roles: readonly string[]
  readonly service_token_roles_required: boolean
  /** Ours in the catalogue, for access rules. */
  readonly service_type: string
}

interface Dependencies {
  readonly clock: Pick<Clock, 'now'>
  readonly session: Session
  readonly log: Log
}

const TOKENS_MAX = 10_000
/** Bad tokens have a cache of their own: guesses must not drive out the good. */
const BAD_TOKENS_MAX = 1_000
const BAD_TOKEN_MS = 5_000
/** Beyond this many questions at a time Keystone is as good as away. */
const QUESTIONS_MAX = 128
/** What is longer, or has other characters, is no token; Keystone need not be asked. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/

/** Data of a token; null is none that is valid. `expiredToo` takes one after its end. */
type Verify = (token: string, expiredToo: boolean) => Promise<TokenData | null>

export function createKeystoneIdentity(
  deps: Dependencies,
  options: KeystoneOptions,
): IdentityDriver {
  const { service_token_roles, service_token_roles_required, service_type } = options
  const verify = createVerify(deps, options)

  const validate = async (header: string | null, expiredToo: boolean) => {
    const token = header?.trim() ?? ''
    const data = TOKEN.test(token) ? await verify(token, expiredToo) : null
    return data !== null && (expiredToo || deps.clock.now() < data.expires_ms) ? data : null
  }

  /** Whether a service speaks for the user, and is one that may outlast the user's token. */
  const serviceOf = async (header: string | null) => {
    if (!header) return { refused: false, trusted: false }
    const data = await validate(header, false)
    const trusted = data?.caller.roles.some((role) => service_token_roles.includes(role)) ?? false
    return { refused: data === null || (service_token_roles_required && !trusted), trusted }
  }

  return {
    identify: async (headers, asked) => {
      const serviceToken = headers.get('x-service-token')
      const { refused, trusted } = await serviceOf(serviceToken)
      const token = headers.get('x-auth-token') ?? headers.get('x-storage-token')
      const data = refused ? null : await validate(token, trusted)
      // Access rules limit a user, not a service that works for one.
      const rules = serviceToken ? null : (data?.access_rules ?? null)
      if (data === null || (rules !== null && !isAccessAllowed(rules, service_type, asked)))
        throw new Unauthenticated(`Keystone uri="${options.www_authenticate_uri}"`)
      return data.caller
    },
  }
}

/** Asks Keystone, or remembers what it said. Throws IdentityUnavailable. */
function createVerify({ clock, session, log }: Dependencies, options: KeystoneOptions): Verify {
  const lifetime_ms = options.token_cache_time * 1000
  const good = createTokenCache<TokenData>(clock, { lifetime_ms, entries_max: TOKENS_MAX })
  const bad = createTokenCache<true>(clock, {
    lifetime_ms: Math.min(lifetime_ms, BAD_TOKEN_MS),
    entries_max: BAD_TOKENS_MAX,
  })
  const questions = new Map<string, Promise<TokenData | null>>()

  const ask = async (key: string, token: string, expiredToo: boolean) => {
    const answer = await askKeystone(session, options.endpoint, token, expiredToo)
    if (answer === null) bad.set(key, true)
    else good.set(key, answer)
    return answer
  }

  return async (token, expiredToo) => {
    // Keystone says less about a token that has ended to who does not ask for those.
    const key = `${expiredToo ? 'x' : ''}${digestOf(token)}`
    const known = good.get(key)
    if (known !== undefined) return known
    if (bad.get(key) === true) return null
    let question = questions.get(key)
    if (question === undefined) {
      if (questions.size >= QUESTIONS_MAX)
        throw new IdentityUnavailable(`${QUESTIONS_MAX} tokens wait for it`)
      question = ask(key, token, expiredToo).finally(() => questions.delete(key))
      questions.set(key, question)
    }
    try {
      return await question
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      log.error('a token cannot be checked', { error })
      throw new IdentityUnavailable(error)
    }
  }
}

async function askKeystone(
  session: Session,
  endpoint: ServiceEndpoint,
  token: string,
  expiredToo: boolean,
): Promise<TokenData | null> {
  const base = identityUrl(await session.endpoint(endpoint))
  // The catalogue is most of the answer, and nobody here reads it.
  const query = expiredToo ? 'nocatalog&allow_expired=1' : 'nocatalog'
  const { status, body } = await session.request(`${base}/auth/tokens?${query}`, {
    method: 'GET',
    headers: { 'x-subject-token': token, 'openstack-identity-access-rules': '1' },
  })
  if (status === 404) return null
  const data = status === 200 ? parseToken(body) : undefined
  if (data !== undefined) return data
  const mayNot = status === 401 || status === 403
  throw new DriverError({
    operation: 'check-token',
    subject: `Keystone at ${base}`,
    reason: status === 200 ? 'its answer describes no token' : `it answered ${status}`,
    hint: mayNot ? 'our user needs the role service or admin' : 'see its log',
    retryable: status >= 500,
  })
}
