/** The administrator's session with the cloud: its services, and calls of them in a short form. */
import type { Credentials, Scope } from '../../driver/openstack/credentials.ts'
import type { TransportOptions } from '../../driver/openstack/http.ts'
import { type JsonRecord, record, records, text } from '../../driver/openstack/json.ts'
import { createService, type Service } from '../../driver/openstack/service.ts'
import { createSession, type Session } from '../../driver/openstack/session.ts'
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { type CloudSettings, isInsecure } from '../cloud-settings.ts'
import { CommandFailure, EXIT } from '../io.ts'
import { readPem } from '../serve/pem.ts'

export interface Cloud {
  readonly auth_url: string
  readonly region: string | null
  readonly keystone: Api
  readonly nova: Api
  readonly neutron: Api
  readonly glance: Api
  /** The services themselves, for what drivers of ours do with them. */
  readonly neutronService: Service
  /** Logs in, and nothing else. Throws DriverError. */
  check(): Promise<void>
}

/** Calls of one service. `what` is for errors: `role load-balancer_admin`. */
export interface Api {
  /** undefined is 404. */
  get(path: string, what: string): Promise<JsonRecord | undefined>
  /** The items of a list. */
  list(path: string, key: string, what: string): Promise<readonly JsonRecord[]>
  /** `body` is what the service gets; the answer is the item under `key`. */
  create(path: string, key: string, values: object, what: string): Promise<JsonRecord>
  /** PUT, PATCH or POST without an answer that matters. */
  send(method: string, path: string, body: object | undefined, what: string): Promise<void>
  upload(path: string, file: string, what: string): Promise<void>
  /** Success when it is gone. */
  remove(path: string, what: string): Promise<void>
}

/** 2.10 lets an administrator make a key pair of another user. */
const NOVA_MICROVERSION = '2.10'
const TIMEOUT_MS = 60_000
const UPLOAD_TIMEOUT_MS = 30 * 60_000
const RETRIES = 3

export function openCloud(
  deps: { readonly clock: Clock; readonly log: Log },
  settings: CloudSettings,
): Cloud {
  const { auth_url } = settings
  if (auth_url === undefined)
    throw new CommandFailure(
      'say which cloud: --os-cloud NAME, or OS_* variables as of an openrc file',
      EXIT.usage,
    )
  const transport = transportOf(settings)
  const session = createSession(deps, {
    auth_url,
    credentials: credentialsOf(settings),
    ...transport,
  })
  const region = settings.region_name ?? null
  const interfaces = [settings.interface ?? 'public']
  const open = (
    title: string,
    type: string,
    version: string,
    timeout_ms = TIMEOUT_MS,
    headers = {},
  ) =>
    createService(
      { ...deps, session },
      {
        title,
        version,
        headers,
        endpoint: { type, interfaces, region, name: null, override: null },
        transport: { ...transport, timeout_ms },
        status_retries: RETRIES,
      },
    )
  const neutronService = open('Neutron', 'network', 'v2.0')
  const nova = { 'x-openstack-nova-api-version': NOVA_MICROVERSION }
  return {
    auth_url,
    region,
    keystone: apiOf(open('Keystone', 'identity', 'v3')),
    nova: apiOf(open('Nova', 'compute', 'v2.1', TIMEOUT_MS, nova)),
    neutron: apiOf(neutronService),
    glance: apiOf(open('Glance', 'image', 'v2', UPLOAD_TIMEOUT_MS)),
    neutronService,
    check: async () => {
      await (session satisfies Session).projectId()
    },
  }
}

function apiOf(service: Service): Api {
  const operation = 'setup'
  return {
    get: async (path, subject) => {
      const asked = { operation, subject, method: 'GET', path, expect: [404] }
      const { status, body } = await service.request(asked)
      return status === 404 ? undefined : (record(body) ?? {})
    },
    list: async (path, key, subject) => {
      const { body } = await service.request({ operation, subject, method: 'GET', path })
      return records(record(body)?.[key])
    },
    create: async (path, key, values, subject) => {
      const sent = key === '' ? values : { [key]: values }
      const asked = { operation, subject, method: 'POST', path, body: sent }
      const body = record((await service.request(asked)).body)
      return (key === '' ? body : record(body?.[key])) ?? {}
    },
    send: async (method, path, body, subject) => {
      await service.request({ operation, subject, method, path, body })
    },
    upload: async (path, file, subject) => {
      const content = { type: 'application/octet-stream', data: Bun.file(file) }
      await service.request({ operation, subject, method: 'PUT', path, content })
    },
    remove: async (path, subject) => {
      await service.request({ operation, subject, method: 'DELETE', path, expect: [404] })
    },
  }
}

export function idOf(row: JsonRecord | undefined): string | undefined {
  return row === undefined ? undefined : text(row.id)
}

/** The id of what was just made. */
export function madeId(row: JsonRecord, what: string): string {
  const id = idOf(row)
  if (id === undefined) throw new CommandFailure(`the cloud made ${what} and does not say its id`)
  return id
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
  const domain = settings.default_domain ?? null
  const user = {
    id: settings.user_id ?? null,
    name: settings.username ?? null,
    domain_id: settings.user_domain_id ?? null,
    domain_name: settings.user_domain_name ?? domain ?? 'Default',
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
    throw new CommandFailure('user and password of an administrator are needed', EXIT.usage)
  return { kind: 'password', user, password: settings.password, scope: scopeOf(settings) }
}

function scopeOf(settings: CloudSettings): Scope {
  const { project_id: id = null, project_name: name = null } = settings
  if (id === null && name === null)
    throw new CommandFailure('name a project of the administrator by --os-project-name', EXIT.usage)
  const domain_id = settings.project_domain_id ?? null
  const domain_name = settings.project_domain_name ?? settings.default_domain ?? 'Default'
  return { kind: 'project', project: { id, name, domain_id, domain_name } }
}
