/** Ways for callers to prove who they are, to implementations: the only place that knows both. */
import { createHeaderIdentity } from '../../api/identity.ts'
import type { AuthStrategy } from '../../config/options/api.ts'
import type { Config } from '../../config/options.ts'
import type { IdentityDriver } from '../../driver/identity.ts'
import type { Credentials, Scope } from '../../driver/openstack/credentials.ts'
import { createKeystoneIdentity } from '../../driver/openstack/identity.ts'
import { createSession, type SessionOptions } from '../../driver/openstack/session.ts'
import { systemClock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { readPem } from './drivers.ts'
import { type OpenIdentity, openLocalIdentity, type Surroundings } from './local-identity.ts'

/** The project of those who name none, where nobody has to prove who he is. */
const NOAUTH_PROJECT = 'default'
/** Keystone answers in milliseconds; a caller who waits longer has gone. */
const TIMEOUT_S = 10

/** Those without a service of their own. */
export const IDENTITIES = {
  noauth: () => createHeaderIdentity({ is_admin: true, default_project_id: NOAUTH_PROJECT }),
  testing: () => createHeaderIdentity({ is_admin: false, default_project_id: null }),
  keystone: openKeystone,
} as const satisfies Record<
  Exclude<AuthStrategy, 'local'>,
  (config: Config, log: Log) => IdentityDriver
>

export function openIdentity(around: Surroundings): OpenIdentity {
  const { config, log } = around
  const { auth_strategy } = config.api_settings
  if (auth_strategy === 'local') return openLocalIdentity(around)
  return {
    driver: IDENTITIES[auth_strategy](config, log),
    beside: (api) => api,
    ensureAdministrator: async () => {},
  }
}

function openKeystone(config: Config, log: Log): IdentityDriver {
  const options = config.keystone_authtoken
  const session = createSession({ clock: systemClock }, keystoneSession(config))
  return createKeystoneIdentity(
    { clock: systemClock, session, log },
    {
      ...options,
      www_authenticate_uri: options.www_authenticate_uri ?? options.auth_url ?? '',
      endpoint: {
        type: 'identity',
        // A catalogue without internal endpoints is common on small clouds.
        interfaces: [options.interface, 'public'],
        region: options.region_name,
        name: null,
        override: null,
      },
    },
  )
}

function keystoneSession(config: Config): SessionOptions {
  const own = config.keystone_authtoken
  const { auth_url } = authSection(config)
  const seconds = own.http_connect_timeout ?? own.timeout ?? TIMEOUT_S
  return {
    auth_url: auth_url ?? '',
    credentials: credentialsOf(authSection(config)),
    tls: {
      ca: own.cafile === null ? null : readPem(own.cafile),
      cert: own.certfile === null ? null : readPem(own.certfile),
      key: own.keyfile === null ? null : readPem(own.keyfile),
      insecure: own.insecure,
    },
    timeout_ms: (seconds || TIMEOUT_S) * 1000,
    connect_retries: own.http_request_max_retries,
  }
}

type AuthSection = Pick<Config['service_auth'], keyof Config['service_auth']>

/** The section that says who we are; cross-check.ts has looked at it. */
function authSection(config: Config): AuthSection {
  const { auth_section } = config.keystone_authtoken
  return auth_section === 'service_auth' ? config.service_auth : config.keystone_authtoken
}

function credentialsOf(options: AuthSection): Credentials {
  const user = {
    id: options.user_id,
    name: options.username,
    domain_id: options.user_domain_id ?? options.default_domain_id,
    domain_name: options.user_domain_name ?? options.default_domain_name,
  }
  if (options.auth_type === 'v3applicationcredential')
    return {
      kind: 'application_credential',
      id: options.application_credential_id,
      name: options.application_credential_name,
      user,
      secret: options.application_credential_secret ?? '',
    }
  const password = options.password ?? ''
  return { kind: 'password', user, password, scope: scopeOf(options) }
}

function scopeOf(options: AuthSection): Scope {
  const id = options.project_id ?? options.tenant_id
  const name = options.project_name ?? options.tenant_name
  if (id !== null || name !== null)
    return {
      kind: 'project',
      project: {
        id,
        name,
        domain_id: options.project_domain_id ?? options.default_domain_id,
        domain_name: options.project_domain_name ?? options.default_domain_name,
      },
    }
  if (options.domain_id !== null || options.domain_name !== null)
    return { kind: 'domain', id: options.domain_id, name: options.domain_name }
  if (options.system_scope !== null) return { kind: 'system' }
  return options.trust_id === null ? { kind: 'none' } : { kind: 'trust', id: options.trust_id }
}
