/** Ways for callers to prove who they are, to implementations: the only place that knows both. */
import { createHeaderIdentity } from '../../api/identity.ts'
import type { AuthStrategy } from '../../config/options/api.ts'
import type { Config } from '../../config/options.ts'
import type { IdentityDriver } from '../../driver/identity.ts'
import { createKeystoneIdentity } from '../../driver/openstack/identity.ts'
import { createSession, type SessionOptions } from '../../driver/openstack/session.ts'
import { systemClock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { type OpenIdentity, openLocalIdentity, type Surroundings } from './local-identity.ts'
import { type AuthSection, credentialsOf, tlsOf } from './openstack.ts'

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
    tls: tlsOf(own),
    timeout_ms: (seconds || TIMEOUT_S) * 1000,
    connect_retries: own.http_request_max_retries,
  }
}

/** The section that says who we are; cross-check.ts has looked at it. */
function authSection(config: Config): AuthSection {
  const { auth_section } = config.keystone_authtoken
  return auth_section === 'service_auth' ? config.service_auth : config.keystone_authtoken
}
