/** How clients of OpenStack come in: tests of a whole client run once for each of these. */
import { CLOUD_NAME, cloudsFileIn } from '../../src/command/clouds-file.ts'
import { ENDPOINT } from './one-endpoint.ts'

export interface Login {
  readonly name: string
  /** Settings of `serve`, with drivers that do nothing. */
  readonly settings: string
  /** The name of a project that is there. */
  readonly project: string
  /** The status of an answer to somebody who does not log in. */
  readonly stranger: 200 | 401
  /** What the client is told: variables of its environment. */
  env(data_dir: string): Readonly<Record<string, string>>
}

const NOOP_DRIVERS = `
[controller_worker]
network_driver = "network_noop_driver"
compute_driver = "compute_noop_driver"
amphora_driver = "amphora_noop_driver"
`

export const LOGINS: readonly Login[] = [
  {
    name: 'without authentication',
    settings: `[api_settings]\nauth_strategy = "noauth"\n${NOOP_DRIVERS}`,
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
    env: (data_dir) => ({ OS_CLIENT_CONFIG_FILE: cloudsFileIn(data_dir), OS_CLOUD: CLOUD_NAME }),
  },
]
