/**
 * How clients of OpenStack come in: tests of a whole client run once for each of these. The last is
 * an administrator (domain Default) of a real Keystone that tests may use; it has to listen in the
 * network namespace of the lab.
 */
import { writeFileSync } from 'node:fs'
import { IDENTITY_PREFIX } from '../../src/api/identity-v3/route.ts'
import { CLOUD_NAME, cloudsFileIn } from '../../src/command/clouds-file.ts'
import { ENDPOINT } from './one-endpoint.ts'

export interface Login {
  readonly name: string
  /** Why it cannot be used here; undefined when it can. */
  readonly missing?: string | undefined
  /** The address of the Keystone, without its version. */
  readonly keystone?: string
  /** Settings of `serve`, with drivers that do nothing. */
  readonly settings: string
  /** The name of a project that is there. */
  readonly project: string
  /** The status of an answer to somebody who does not log in. */
  readonly stranger: 200 | 401
  /** What the client is told: variables of its environment. Files may be written for it. */
  env(data_dir: string): Readonly<Record<string, string>>
}

const { OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME } = process.env
/** Who logs in there: the client, and the service that validates its tokens. */
const ACCOUNT = {
  auth_url: OS_AUTH_URL ?? '',
  username: OS_USERNAME ?? '',
  password: OS_PASSWORD ?? '',
  project_name: OS_PROJECT_NAME ?? '',
  user_domain_name: 'Default',
  project_domain_name: 'Default',
}

const NOOP_DRIVERS = `
[controller_worker]
network_driver = "network_noop_driver"
compute_driver = "compute_noop_driver"
amphora_driver = "amphora_noop_driver"
`

const cloudIn = (data_dir: string) => ({
  OS_CLIENT_CONFIG_FILE: cloudsFileIn(data_dir),
  OS_CLOUD: CLOUD_NAME,
})

export const LOGINS: readonly Login[] = [
  {
    name: 'without authentication',
    // Every list of two comes in two pages.
    settings: `[api_settings]
auth_strategy = "noauth"
pagination_max_limit = "1"
${NOOP_DRIVERS}`,
    project: 'default',
    stranger: 200,
    env: () => ({
      OS_AUTH_TYPE: 'none',
      OS_ENDPOINT: ENDPOINT,
      OS_LOAD_BALANCER_ENDPOINT_OVERRIDE: ENDPOINT,
      OS_REGION_NAME: 'RegionOne',
    }),
  },
  {
    name: 'as the first administrator of the built-in identity',
    settings: `[api_settings]
auth_strategy = "local"
api_base_uri = "${ENDPOINT}"
${NOOP_DRIVERS}`,
    project: 'admin',
    stranger: 401,
    env: cloudIn,
  },
  {
    name: 'with a real Keystone',
    missing: Object.values(ACCOUNT).includes('')
      ? 'needs OS_AUTH_URL and the other OS_ variables of a real Keystone'
      : undefined,
    keystone: ACCOUNT.auth_url.replace(/\/v3\/?$/, ''),
    settings: `[api_settings]
auth_strategy = "keystone"

[keystone_authtoken]
auth_type = "password"
interface = "public"
${Object.entries(ACCOUNT)
  .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  .join('\n')}
${NOOP_DRIVERS}`,
    project: ACCOUNT.project_name,
    stranger: 401,
    env: (data_dir) => {
      const cloud = {
        auth: { ...ACCOUNT, auth_url: `${ENDPOINT}${IDENTITY_PREFIX}/v3` },
        identity_api_version: 3,
        // Its catalog need not know about this `serve`.
        load_balancer_endpoint_override: ENDPOINT,
      }
      writeFileSync(cloudsFileIn(data_dir), JSON.stringify({ clouds: { [CLOUD_NAME]: cloud } }))
      return cloudIn(data_dir)
    },
  },
]
