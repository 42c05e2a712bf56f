/**
 * Which cloud to talk to and how to log in: options before OS_* variables before clouds.yaml, as
 * openstacksdk reads them. One table names each setting everywhere.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isObject, parseBoolean } from '../model/field.ts'
import { CommandFailure, EXIT } from './io.ts'

interface Setting {
  /** In clouds.yaml; `auth.` before it is the section. */
  readonly yaml: string
  /** Other variables than OS_<NAME>, older ones. */
  readonly env?: readonly string[]
  readonly help: string
}

const SETTINGS = {
  auth_type: {
    yaml: 'auth_type',
    help: 'none, token_endpoint, token, password or v3applicationcredential.',
  },
  endpoint: {
    yaml: 'auth.endpoint',
    env: ['OS_URL'],
    help: 'The URL of the API, without a catalog.',
  },
  auth_url: { yaml: 'auth.auth_url', help: 'The URL of Keystone.' },
  token: { yaml: 'auth.token', help: 'A token.' },
  username: { yaml: 'auth.username', help: 'The name of the user.' },
  user_id: { yaml: 'auth.user_id', help: 'The ID of the user.' },
  password: { yaml: 'auth.password', help: 'The password; better in OS_PASSWORD or clouds.yaml.' },
  user_domain_name: { yaml: 'auth.user_domain_name', help: 'The domain of the user.' },
  user_domain_id: { yaml: 'auth.user_domain_id', help: 'The domain of the user, by ID.' },
  project_name: { yaml: 'auth.project_name', env: ['OS_TENANT_NAME'], help: 'The project.' },
  project_id: { yaml: 'auth.project_id', env: ['OS_TENANT_ID'], help: 'The project, by ID.' },
  project_domain_name: { yaml: 'auth.project_domain_name', help: 'The domain of the project.' },
  project_domain_id: { yaml: 'auth.project_domain_id', help: 'The domain of the project, by ID.' },
  domain_name: { yaml: 'auth.domain_name', help: 'The domain to act on instead of a project.' },
  domain_id: { yaml: 'auth.domain_id', help: 'The domain to act on, by ID.' },
  system_scope: { yaml: 'auth.system_scope', help: '`all` to act on the system.' },
  default_domain: { yaml: 'auth.default_domain', help: 'The domain where none is named.' },
  application_credential_id: {
    yaml: 'auth.application_credential_id',
    help: 'The application credential, by ID.',
  },
  application_credential_name: {
    yaml: 'auth.application_credential_name',
    help: 'The application credential of the user, by name.',
  },
  application_credential_secret: {
    yaml: 'auth.application_credential_secret',
    help: 'Its secret.',
  },
  region_name: { yaml: 'region_name', help: 'The region.' },
  interface: {
    yaml: 'interface',
    env: ['OS_ENDPOINT_TYPE'],
    help: 'Which endpoints of the catalog: public (default), internal or admin.',
  },
  cacert: { yaml: 'cacert', help: 'A file with the CAs to trust.' },
  insecure: { yaml: 'insecure', help: 'Do not verify certificates.' },
} as const satisfies Readonly<Record<string, Setting>>

export type CloudSetting = keyof typeof SETTINGS
export type CloudSettings = Readonly<Partial<Record<CloudSetting, string>>>
type Env = Readonly<Record<string, string | undefined>>

export interface CloudOption {
  /** Without dashes; also the key in the record of options given. */
  readonly flag: string
  readonly help: string
  readonly takes: 'one' | 'nothing'
}

/** `--os-auth-url` and so on; every command that talks to a cloud takes them. */
export const CLOUD_OPTIONS: readonly CloudOption[] = [
  { flag: 'os-cloud', help: 'The cloud of clouds.yaml.', takes: 'one' },
  ...(Object.keys(SETTINGS) as CloudSetting[]).map(
    (name): CloudOption => ({
      flag: flagOf(name),
      help: SETTINGS[name].help,
      takes: name === 'insecure' ? 'nothing' : 'one',
    }),
  ),
]

function flagOf(name: string): string {
  return name === 'insecure' ? name : `os-${name.replaceAll('_', '-')}`
}

/** Files of clouds, in the order in which the first one found is taken. */
function cloudFiles(env: Env, name: 'clouds' | 'secure'): readonly string[] {
  const named = name === 'clouds' ? env.OS_CLIENT_CONFIG_FILE : env.OS_CLIENT_SECURE_FILE
  const home = env.HOME ?? homedir()
  const folders = ['.', `${env.XDG_CONFIG_HOME ?? `${home}/.config`}/openstack`, '/etc/openstack']
  const usual = folders.flatMap((folder) => [`${folder}/${name}.yaml`, `${folder}/${name}.yml`])
  return named === undefined || named === '' ? usual : [named, ...usual]
}

/**
 * Throws CommandFailure when a cloud is named that no file has. `options` are those of
 * CLOUD_OPTIONS by flag. Nothing configured at all is an empty record.
 */
export function readCloudSettings(
  env: Env,
  options: Readonly<Record<string, unknown>> = {},
): CloudSettings {
  const given: Partial<Record<CloudSetting, string>> = {}
  for (const name of Object.keys(SETTINGS) as CloudSetting[]) {
    const setting: Setting = SETTINGS[name]
    const variables = [`OS_${name.toUpperCase()}`, ...(setting.env ?? [])]
    const value = options[flagOf(name)] ?? variables.map((key) => env[key]).find((text) => text)
    if (value !== undefined) given[name] = String(value)
  }
  const wanted = options['os-cloud'] ?? env.OS_CLOUD
  const cloud = findCloud(
    env,
    typeof wanted === 'string' && wanted !== '' ? wanted : undefined,
    given,
  )
  return { ...(cloud === undefined ? {} : settingsOf(cloud)), ...given }
}

/** The cloud that is named, or the only one there is when nothing else says where to go. */
function findCloud(
  env: Env,
  wanted: string | undefined,
  given: CloudSettings,
): Record<string, unknown> | undefined {
  if (wanted === undefined && (given.auth_url ?? given.endpoint) !== undefined) return undefined
  const paths = cloudFiles(env, 'clouds')
  const path = paths.find((each) => existsSync(each))
  const clouds = path === undefined ? {} : readClouds(path)
  const names = Object.keys(clouds)
  const name = wanted ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined) return undefined
  const cloud = Object.hasOwn(clouds, name) ? clouds[name] : undefined
  if (!isObject(cloud))
    throw new CommandFailure(
      path === undefined
        ? `there is no clouds.yaml for the cloud '${name}'; OS_CLIENT_CONFIG_FILE can name one`
        : `${path} has no cloud '${name}'${names.length === 0 ? '' : `, only ${names.join(', ')}`}`,
      EXIT.usage,
    )
  const secret = cloudFiles(env, 'secure').find((each) => existsSync(each))
  const secrets = secret === undefined ? undefined : readClouds(secret)[name]
  if (!isObject(secrets)) return cloud
  const auth = { ...sectionOf(cloud, 'auth'), ...sectionOf(secrets, 'auth') }
  return { ...cloud, ...secrets, auth }
}

function readClouds(path: string): Readonly<Record<string, unknown>> {
  let parsed: unknown
  try {
    parsed = Bun.YAML.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    // A parser's message can quote the line it stopped at, which may be the one with a password.
    throw new CommandFailure(`${path} cannot be read as YAML`, EXIT.failure, cause)
  }
  return isObject(parsed) ? sectionOf(parsed, 'clouds') : {}
}

function sectionOf(value: Record<string, unknown>, name: string): Record<string, unknown> {
  const section = value[name]
  return isObject(section) ? section : {}
}

function settingsOf(cloud: Record<string, unknown>): CloudSettings {
  const auth = sectionOf(cloud, 'auth')
  const found: Partial<Record<CloudSetting, string>> = {}
  for (const name of Object.keys(SETTINGS) as CloudSetting[]) {
    const { yaml } = SETTINGS[name]
    const key = yaml.replace(/^auth\./, '')
    const value = (yaml.startsWith('auth.') ? auth[key] : undefined) ?? cloud[key]
    if (value !== undefined && value !== null) found[name] = String(value)
  }
  const override = cloud.load_balancer_endpoint_override
  if (typeof override === 'string') found.endpoint ??= override
  if (cloud.verify === false) found.insecure ??= 'true'
  return found
}

export function isInsecure({ insecure }: CloudSettings): boolean {
  return insecure !== undefined && parseBoolean(insecure) === true
}
