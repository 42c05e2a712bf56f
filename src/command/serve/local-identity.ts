/** The built-in identity, put together, and at its first start the first administrator. */
import type { App } from '../../api/app.ts'
import { createIdentityApp } from '../../api/identity-v3/app.ts'
import { IDENTITY_PREFIX } from '../../api/identity-v3/route.ts'
import { mountApps } from '../../api/mount.ts'
import { createNetworkEndpoint, NETWORK_PREFIX } from '../../api/network-endpoint.ts'
import type { LocalNetworks } from '../../api/route.ts'
import type { Config } from '../../config/options.ts'
import type { IdentityDriver } from '../../driver/identity.ts'
import { createProject, createUser } from '../../identity/accounts.ts'
import { LocalIdentity } from '../../identity/local-identity.ts'
import { createLoginLimiter } from '../../identity/login-limiter.ts'
import { createPasswords, generatePassword, type Passwords } from '../../identity/passwords.ts'
import { findProject, listUsers } from '../../store/identity.ts'
import type { Store } from '../../store/store.ts'
import { systemClock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { CLOUD_NAME, cloudsFileIn, writeClouds } from '../clouds-file.ts'
import type { DataFolder } from './data-folder.ts'

export interface OpenIdentity {
  readonly driver: IdentityDriver
  /** The API with the endpoints of the identity beside it. */
  beside(api: App): App
  /** At the first start, once it is known where the API is. */
  ensureAdministrator(url: URL): Promise<void>
}

export interface Surroundings {
  readonly store: Store
  readonly config: Config
  readonly folder: Pick<DataFolder, 'tokenKey'>
  readonly log: Log
  /** What is told in place of a network service; null where there is one. */
  readonly networks: LocalNetworks | null
}

const ADMINISTRATOR = 'admin'

export function openLocalIdentity({
  store,
  config,
  folder,
  log,
  networks,
}: Surroundings): OpenIdentity {
  const { local_identity, api_settings, oslo_middleware } = config
  const { api_base_uri } = api_settings
  const clock = systemClock
  const identity = new LocalIdentity(
    { store, clock, key: folder.tokenKey },
    { ...local_identity, api_base_uri },
  )
  const passwords = createPasswords()
  const limiter = createLoginLimiter({ clock }, { failures_max: local_identity.login_failures_max })
  const app = createIdentityApp({
    store,
    clock,
    identity,
    passwords,
    limiter,
    log,
    options: {
      api_base_uri,
      max_request_body_size: oslo_middleware.max_request_body_size,
      region_name: local_identity.region_name,
      network: networks !== null,
      key_manager: config.certificates.cert_manager === 'local_cert_manager',
    },
  })
  return {
    driver: identity,
    beside: (api) =>
      mountApps(api, {
        [IDENTITY_PREFIX]: app,
        ...(networks === null
          ? {}
          : { [NETWORK_PREFIX]: createNetworkEndpoint(api, { api_base_uri }) }),
      }),
    ensureAdministrator: (url) =>
      ensureAdministrator({ store, passwords, log }, config, api_base_uri ?? reachable(url)),
  }
}

async function ensureAdministrator(
  deps: { readonly store: Store; readonly passwords: Passwords; readonly log: Log },
  config: Config,
  base: string,
): Promise<void> {
  const { store, passwords, log } = deps
  if ((await listUsers(store.read)).length > 0) return
  const file = cloudsFileIn(config.DEFAULT.data_dir)
  const password = generatePassword()
  // The file first: killed in between, there is still no user, and the next start begins anew.
  writeClouds(file, {
    auth_url: `${base.replace(/\/+$/, '')}${IDENTITY_PREFIX}`,
    username: ADMINISTRATOR,
    password,
    project_name: ADMINISTRATOR,
    region_name: config.local_identity.region_name,
  })
  if ((await findProject(store.read, 'name', ADMINISTRATOR)) === undefined)
    await createProject({ store }, ADMINISTRATOR)
  const roles = ['admin', 'load-balancer_admin']
  const admin = { name: ADMINISTRATOR, password, project: ADMINISTRATOR, roles }
  await createUser({ store, passwords }, admin)
  log.info('made the first administrator; its password is in clouds.yaml', {
    user: ADMINISTRATOR,
    try: `OS_CLIENT_CONFIG_FILE=${file} OS_CLOUD=${CLOUD_NAME} openstack loadbalancer list`,
  })
}

/** Where a client of this machine finds it. */
function reachable({ protocol, hostname, port }: URL): string {
  const host = hostname === '0.0.0.0' ? '127.0.0.1' : hostname === '[::]' ? '[::1]' : hostname
  return `${protocol}//${host}:${port}`
}
