/** The administrator's session with the cloud: its services, and calls of them in a short form. */
import { type JsonRecord, record, records, text } from '../../driver/openstack/json.ts'
import type { Service } from '../../driver/openstack/service.ts'
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { type CloudService, openCloudServices } from '../cloud-services.ts'
import type { CloudSettings } from '../cloud-settings.ts'
import { CommandFailure } from '../io.ts'

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

const NEUTRON: CloudService = { title: 'Neutron', type: 'network', version: 'v2.0' }
const KEYSTONE: CloudService = { title: 'Keystone', type: 'identity', version: 'v3' }
const GLANCE: CloudService = {
  ...{ title: 'Glance', type: 'image', version: 'v2' },
  timeout_ms: 30 * 60_000,
}
const NOVA: CloudService = {
  ...{ title: 'Nova', type: 'compute', version: 'v2.1' },
  // It lets an administrator make a key pair of another user.
  headers: { 'x-openstack-nova-api-version': '2.10' },
}

export function openCloud(
  deps: { readonly clock: Clock; readonly log: Log },
  settings: CloudSettings,
): Cloud {
  const { auth_url, region, session, open } = openCloudServices(deps, settings)
  const neutronService = open(NEUTRON)
  return {
    auth_url,
    region,
    keystone: apiOf(open(KEYSTONE)),
    nova: apiOf(open(NOVA)),
    neutron: apiOf(neutronService),
    glance: apiOf(open(GLANCE)),
    neutronService,
    check: async () => {
      await session.projectId()
    },
  }
}

/** `operation` is for errors. */
export function apiOf(service: Service, operation = 'setup'): Api {
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
