/**
 * Which cloud to talk to and how to log in: options before OS_* variables before clouds.yaml, as
 * openstacksdk reads them. One table names each setting everywhere.
 */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isObject, parseBoolean } from '../model/field.ts'
import { CLOUD_NAME, type CloudEntry, cloudsFileIn, readClouds } from './clouds-file.ts'
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
  /** Without dashes. */
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

export interface CloudOptions {
  /** Instead of OS_CLOUD. */
  readonly cloud?: string
  /** Of the load balancers, instead of that in the catalog. */
  readonly endpoint?: string
  /** Where a serve of this machine keeps its data; the clouds.yaml there comes last. */
  readonly data_dir?: string
  /** What the command line says, by the flags of CLOUD_OPTIONS. */
  readonly flags?: ReadonlyMap<string, unknown>
}

/**
 * Throws CommandFailure when a cloud is named that no file has. Nothing configured at all is an
 * empty record.
 */
export function readCloudSettings(env: Env, options: CloudOptions = {}): CloudSettings {
  const given: Partial<Record<CloudSetting, string>> = {}
  for (const name of Object.keys(SETTINGS) as CloudSetting[]) {
    const setting: Setting = SETTINGS[name]
    const variables = [`OS_${name.toUpperCase()}`, ...(setting.env ?? [])]
    const flag = options.flags?.get(flagOf(name))
    const value = flag ?? variables.map((key) => env[key]).find((text) => text)
    if (value !== undefined) given[name] = String(value)
  }
  if (options.endpoint !== undefined) given.endpoint = options.endpoint
  const flag = options.flags?.get('os-cloud')
  const wanted = options.cloud ?? (typeof flag === 'string' ? flag : env.OS_CLOUD)
  const cloud = findCloud(env, options, wanted === '' ? undefined : wanted, given)
  return { ...(cloud === undefined ? {} : settingsOf(cloud)), ...given }
}

/**
 * The cloud that is named; without a name the only one there is, then that of this machine's serve.
 * No cloud is looked for where variables or options say where to log in.
 */
function findCloud(
  env: Env,
  { data_dir }: CloudOptions,
  wanted: string | undefined,
  given: CloudSettings,
): CloudEntry | undefined {
  const complete = [given.auth_url, given.auth_type, given.token].some((text) => text !== undefined)
  if (wanted === undefined && (complete || env.OS_ENDPOINT || env.OS_URL)) return undefined
  const path = cloudFiles(env, 'clouds').find((each) => existsSync(each))
  const clouds = path === undefined ? {} : (readClouds(path) ?? {})
  const ours = data_dir === undefined ? {} : (readClouds(cloudsFileIn(data_dir)) ?? {})
  const names = Object.keys(clouds)
  if (wanted === undefined) {
    const [only] = names
    return names.length === 1 && only !== undefined
      ? withSecrets(env, only, clouds[only] ?? {})
      : ours[CLOUD_NAME]
  }
  if (Object.hasOwn(clouds, wanted)) return withSecrets(env, wanted, clouds[wanted] ?? {})
  if (Object.hasOwn(ours, wanted)) return ours[wanted]
  throw new CommandFailure(
    path === undefined
      ? `there is no clouds.yaml for the cloud '${wanted}'; OS_CLIENT_CONFIG_FILE can name one`
      : `${path} has no cloud '${wanted}'${names.length === 0 ? '' : `, only ${names.join(', ')}`}`,
    EXIT.usage,
  )
}

/** Passwords can stand in a secure.yaml of their own. */
function withSecrets(env: Env, name: string, cloud: CloudEntry): CloudEntry {
  const path = cloudFiles(env, 'secure').find((each) => existsSync(each))
  const secrets = path === undefined ? undefined : readClouds(path)?.[name]
  if (!isObject(secrets)) return cloud
  const auth = { ...sectionOf(cloud, 'auth'), ...sectionOf(secrets, 'auth') }
  return { ...cloud, ...secrets, auth }
}

function sectionOf(value: CloudEntry, name: string): Record<string, unknown> {
  const section = value[name]
  return isObject(section) ? section : {}
}

function settingsOf(cloud: CloudEntry): CloudSettings {
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
