/**
 * Services of a cloud as an operator logs in to it, by OS_* variables or clouds.yaml, for commands
 * that change things there.
 */
import type { Credentials, Scope } from '../driver/openstack/credentials.ts'
import type { TransportOptions } from '../driver/openstack/http.ts'
import { createService, type Service } from '../driver/openstack/service.ts'
import { createSession, type Session } from '../driver/openstack/session.ts'
import type { Clock } from '../system/clock.ts'
import type { Log } from '../system/log.ts'
import { type CloudSettings, isInsecure } from './cloud-settings.ts'
import { CommandFailure, EXIT } from './io.ts'
import { readPem } from './serve/pem.ts'

export interface CloudService {
  /** For people. */
  readonly title: string
  /** In the catalogue. */
  readonly type: string
  readonly version: string
  readonly headers?: Readonly<Record<string, string>>
  /** For one attempt. */
  readonly timeout_ms?: number
}

export interface CloudServices {
  readonly auth_url: string
  /** null is whichever comes first. */
  readonly region: string | null
  readonly session: Session
  open(service: CloudService): Service
}

const TIMEOUT_MS = 60_000
const RETRIES = 3

/** Throws CommandFailure where the settings do not say who logs in where; asks nobody yet. */
export function openCloudServices(
  deps: { readonly clock: Clock; readonly log: Log },
  settings: CloudSettings,
): CloudServices {
  const { auth_url } = settings
  if (auth_url === undefined)
    throw new CommandFailure(
      'say which cloud: --os-cloud NAME, or OS_* variables as of an openrc file',
      EXIT.usage,
    )
  const transport = transportOf(settings)
  const credentials = credentialsOf(settings)
  const session = createSession(deps, { auth_url, credentials, ...transport })
  const region = settings.region_name ?? null
  return {
    auth_url,
    region,
    session,
    open: ({ title, type, version, headers = {}, timeout_ms = TIMEOUT_MS }) =>
      createService(
        { ...deps, session },
        {
          title,
          version,
          headers,
          endpoint: {
            type,
            interfaces: [settings.interface ?? 'public'],
            region,
            name: null,
            override: null,
          },
          transport: { ...transport, timeout_ms },
          status_retries: RETRIES,
        },
      ),
  }
}

function transportOf(settings: CloudSettings): TransportOptions {
  const ca = settings.cacert === undefined ? null : readPem(settings.cacert)
  return {
    tls: { ca, cert: null, key: null, insecure: isInsecure(settings) },
    timeout_ms: TIMEOUT_MS,
    connect_retries: RETRIES,
  }
}

function credentialsOf(settings: CloudSettings): Credentials {
  const user = {
    id: settings.user_id ?? null,
    name: settings.username ?? null,
    domain_id: settings.user_domain_id ?? null,
    domain_name: settings.user_domain_name ?? settings.default_domain ?? 'Default',
  }
  const { application_credential_secret: secret } = settings
  if (secret !== undefined)
    return {
      kind: 'application_credential',
      id: settings.application_credential_id ?? null,
      name: settings.application_credential_name ?? null,
      user,
      secret,
    }
  if (settings.password === undefined || (user.id === null && user.name === null))
    throw new CommandFailure(
      'the cloud needs user and password: OS_USERNAME and OS_PASSWORD, or in clouds.yaml',
      EXIT.usage,
    )
  return { kind: 'password', user, password: settings.password, scope: scopeOf(settings) }
}

function scopeOf(settings: CloudSettings): Scope {
  const { project_id: id = null, project_name: name = null } = settings
  if (id === null && name === null)
    throw new CommandFailure('name the project to act in by --os-project-name', EXIT.usage)
  const domain_id = settings.project_domain_id ?? null
  const domain_name = settings.project_domain_name ?? settings.default_domain ?? 'Default'
  return { kind: 'project', project: { id, name, domain_id, domain_name } }
}
