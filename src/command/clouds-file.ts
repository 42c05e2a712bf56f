/**
 * clouds.yaml: where clients of OpenStack find their clouds. Beside the data there is one with the
 * first administrator.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SECRET_MODE, writeFileAtomic } from '../system/files.ts'
import { CommandFailure, EXIT } from './io.ts'

export const CLOUD_NAME = 'octavia-lite'

export interface NewCloud {
  readonly auth_url: string
  readonly username: string
  readonly password: string
  readonly project_name: string
  readonly region_name: string
}

/** One cloud of a clouds.yaml, as it stands there. */
export interface CloudEntry {
  readonly auth_type?: unknown
  readonly auth?: Readonly<Record<string, unknown>>
  readonly [name: string]: unknown
}

export function cloudsFileIn(data_dir: string): string {
  return join(data_dir, 'clouds.yaml')
}

/** JSON strings are YAML too, whatever is in them. */
export function writeClouds(path: string, cloud: NewCloud): void {
  const { auth_url, username, password, project_name, region_name } = cloud
  const text = (value: string): string => JSON.stringify(value)
  writeSecret(
    path,
    `# Written by octavia-lite serve at its first start. Use it with
#   OS_CLIENT_CONFIG_FILE=${path} OS_CLOUD=${CLOUD_NAME} openstack loadbalancer list
# or copy it to ~/.config/openstack/clouds.yaml.
clouds:
  ${CLOUD_NAME}:
    auth:
      auth_url: ${text(auth_url)}
      username: ${text(username)}
      password: ${text(password)}
      project_name: ${text(project_name)}
      user_domain_name: "Default"
      project_domain_name: "Default"
    region_name: ${text(region_name)}
    identity_api_version: 3
`,
  )
}

function writeSecret(path: string, text: string): void {
  try {
    writeFileAtomic(path, text, SECRET_MODE)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CommandFailure(`${path} cannot be written: ${why}`, EXIT.failure, cause)
  }
}

/**
 * Puts the new password into the file where it is for that user; whether it did. Only the value
 * changes: what else somebody wrote into the file stays.
 */
export function replacePassword(path: string, username: string, password: string): boolean {
  if (!existsSync(path)) return false
  const auth = readClouds(path)?.[CLOUD_NAME]?.auth
  if (auth?.username !== username || typeof auth.password !== 'string') return false
  const before = readFileSync(path, 'utf8')
  const after = before.replace(
    `password: ${JSON.stringify(auth.password)}`,
    () => `password: ${JSON.stringify(password)}`,
  )
  if (after === before) return false
  writeSecret(path, after)
  return true
}

/** The clouds of a file by name; undefined where there is no file. */
export function readClouds(path: string): Readonly<Record<string, CloudEntry>> | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    // What this user may not look into is not for him.
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return undefined
    throw new CommandFailure(`${path} cannot be read: ${String(code)}`, EXIT.failure, cause)
  }
  try {
    const { clouds } = (Bun.YAML.parse(text) ?? {}) as { clouds?: unknown }
    if (typeof clouds !== 'object' || clouds === null) throw new Error('no `clouds` in it')
    return clouds as Record<string, CloudEntry>
  } catch (cause) {
    // The cause can quote a password, so it is not told.
    throw new CommandFailure(`${path} is no clouds.yaml`, EXIT.failure, cause)
  }
}
