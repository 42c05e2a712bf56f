/**
 * Nova: an amphora is a server of our project, found by its name and by the id in its metadata.
 * Source: octavia/compute/drivers/nova_driver.py.
 */

import type { ComputeDriver, InstanceRequest } from '../compute.ts'
import { DriverError } from '../error.ts'
import { SerialTasks } from '../serial.ts'
import type { Attachments } from './attachments.ts'
import type { Images } from './image.ts'
import { type JsonRecord, record, records, text } from './json.ts'
import {
  bootNetworks,
  consoleEnd,
  isOf,
  NO_PROFILE,
  type ServerOptions,
  serverBody,
  serverNameOf,
  toInstance,
} from './server.ts'
import type { Service } from './service.ts'
import type { Volumes } from './volume.ts'

export interface NovaOptions extends ServerOptions {
  readonly amp_image_tag: string
  readonly amp_image_owner_id: string
  readonly enable_anti_affinity: boolean
  readonly anti_affinity_policy: string
}

export interface NovaDeps {
  readonly service: Service
  readonly images: Images
  /** null: amphorae boot from disks of their hosts. */
  readonly volumes: Volumes | null
}

const GROUPS_PER_PAGE = 1_000
const GROUP_PAGES_MAX = 100

export function createNovaCompute(
  deps: NovaDeps,
  options: NovaOptions,
): ComputeDriver & { readonly attachments: Attachments } {
  const { service, images, volumes } = deps
  // Looking for a server or a group and making it is not one step in Nova.
  const one = new SerialTasks()
  const groupOf = async (load_balancer_id: string): Promise<string | null> =>
    await one.run(load_balancer_id, () =>
      ensureGroup(service, load_balancer_id, options.anti_affinity_policy),
    )
  return {
    attachments: createAttachments(service),
    build: (request) =>
      one.run(request.amphora_id, async () => {
        const [found] = await listServers(service, options, request.amphora_id)
        const compute_id = text(found?.id) ?? (await boot(deps, options, request, groupOf))
        return { compute_id }
      }),
    find: async (amphora_id) => {
      const [listed] = await listServers(service, options, amphora_id)
      if (listed === undefined) return undefined
      const server = listed.status === 'ERROR' ? await look(service, amphora_id, listed) : listed
      const isThere = server.status === 'ACTIVE'
      const interfaces = isThere ? await listInterfaces(service, amphora_id, idOf(server)) : []
      return toInstance(server, interfaces, bootNetworks(options, NO_PROFILE))
    },
    delete: (amphora_id) =>
      one.run(amphora_id, async () => {
        const subject = `amphora ${amphora_id}`
        for (const server of await listServers(service, options, amphora_id))
          await service.request({
            ...{ operation: 'delete-server', subject, method: 'DELETE', expect: [404] },
            path: `/servers/${idOf(server)}`,
          })
        await volumes?.delete(amphora_id)
      }),
    releaseGroup: async (load_balancer_id) => {
      const subject = `load balancer ${load_balancer_id}`
      for (const id of await listGroups(service, load_balancer_id))
        await service.request({
          ...{ operation: 'delete-server-group', subject, method: 'DELETE', expect: [404] },
          path: `/os-server-groups/${id}`,
        })
    },
    hasOffer: async (offer, value) => {
      switch (offer) {
        case 'compute_flavor':
          return hasFlavor(service, value)
        case 'amp_image_tag':
          return images.has({ tag: value, owner: options.amp_image_owner_id })
        case 'compute_zone':
          return hasZone(service, value)
        case 'volume_zone':
          return volumes === null || (await volumes.hasZone(value))
      }
    },
    findConsole: async (amphora_id) => {
      const [server] = await listServers(service, options, amphora_id)
      return server && findConsole(service, amphora_id, idOf(server))
    },
  }
}

async function boot(
  { service, images, volumes }: NovaDeps,
  options: NovaOptions,
  request: InstanceRequest,
  groupOf: (load_balancer_id: string) => Promise<string | null>,
): Promise<string> {
  const { amphora_id, load_balancer_id, profile = NO_PROFILE, kept_apart = false } = request
  const tag = profile.amp_image_tag ?? options.amp_image_tag
  const image_id = await images.find({ tag, owner: options.amp_image_owner_id })
  const apart = kept_apart && options.enable_anti_affinity
  const group_id = apart ? await groupOf(load_balancer_id) : null
  const volume_id =
    volumes === null ? null : await volumes.ensure(amphora_id, image_id, profile.volume_zone)
  const { body } = await service.request({
    operation: 'build',
    subject: `amphora ${amphora_id}`,
    method: 'POST',
    path: '/servers',
    body: serverBody(options, request, { image_id, volume_id, group_id }),
  })
  const id = text(record(record(body)?.server)?.id)
  if (id !== undefined) return id
  const reason = 'Nova made a server without an id'
  const subject = `amphora ${amphora_id}`
  throw new DriverError({ operation: 'build', subject, reason, retryable: true })
}

/** Oldest first. */
async function listServers(
  service: Service,
  options: NovaOptions,
  amphora_id: string,
): Promise<readonly JsonRecord[]> {
  const name = serverNameOf(amphora_id, options.random_amphora_name_length)
  // Nova takes it for a regular expression.
  const query = new URLSearchParams({ name: `^${name}$` })
  const { body } = await service.request({
    operation: 'find-server',
    subject: `amphora ${amphora_id}`,
    method: 'GET',
    path: `/servers/detail?${query}`,
  })
  return records(record(body)?.servers)
    .filter((server) => server.name === name && isOf(server, amphora_id))
    .toSorted((a, b) => String(a.created).localeCompare(String(b.created)))
}

/** In its lists Nova does not say why a server never came to a host. */
async function look(service: Service, amphora_id: string, listed: JsonRecord): Promise<JsonRecord> {
  const { body } = await service.request({
    operation: 'find-server',
    subject: `amphora ${amphora_id}`,
    method: 'GET',
    path: `/servers/${idOf(listed)}`,
    expect: [404],
  })
  return record(record(body)?.server) ?? listed
}

async function listInterfaces(
  service: Service,
  amphora_id: string,
  server_id: string,
): Promise<readonly JsonRecord[]> {
  const { body } = await service.request({
    operation: 'list-interfaces',
    subject: `amphora ${amphora_id}`,
    method: 'GET',
    path: `/servers/${server_id}/os-interface`,
    expect: [404],
  })
  return records(record(body)?.interfaceAttachments)
}

function idOf(server: JsonRecord): string {
  return text(server.id) ?? ''
}

const groupName = (load_balancer_id: string): string => `octavia-lb-${load_balancer_id}`

/** Ids; Nova finds groups by no name, so all of ours are listed. */
async function listGroups(service: Service, load_balancer_id: string): Promise<readonly string[]> {
  const found: string[] = []
  for (let page = 0; page < GROUP_PAGES_MAX; page++) {
    const { body } = await service.request({
      operation: 'find-server-group',
      subject: `load balancer ${load_balancer_id}`,
      method: 'GET',
      path: `/os-server-groups?limit=${GROUPS_PER_PAGE}&offset=${page * GROUPS_PER_PAGE}`,
    })
    const groups = records(record(body)?.server_groups)
    for (const { id, name } of groups)
      if (name === groupName(load_balancer_id)) found.push(text(id) ?? '')
    if (groups.length < GROUPS_PER_PAGE) break
  }
  return found.toSorted()
}

async function ensureGroup(
  service: Service,
  load_balancer_id: string,
  policy: string,
): Promise<string | null> {
  const [found] = await listGroups(service, load_balancer_id)
  if (found !== undefined) return found
  const { body } = await service.request({
    operation: 'create-server-group',
    subject: `load balancer ${load_balancer_id}`,
    method: 'POST',
    path: '/os-server-groups',
    body: { server_group: { name: groupName(load_balancer_id), policies: [policy] } },
  })
  return text(record(record(body)?.server_group)?.id) ?? null
}

async function hasFlavor(service: Service, id: string): Promise<boolean> {
  const { status } = await service.request({
    operation: 'find-flavor',
    subject: `flavor ${id}`,
    method: 'GET',
    path: `/flavors/${encodeURIComponent(id)}`,
    expect: [404],
  })
  return status !== 404
}

async function hasZone(service: Service, name: string): Promise<boolean> {
  const { body } = await service.request({
    operation: 'find-zone',
    subject: `compute zone ${name}`,
    method: 'GET',
    path: '/os-availability-zone',
  })
  return records(record(body)?.availabilityZoneInfo).some((zone) => zone.zoneName === name)
}

/** As much as it has, mostly: an instance that boots may not have one yet. */
async function findConsole(
  service: Service,
  amphora_id: string,
  server_id: string,
): Promise<string | undefined> {
  const { body } = await service.request({
    operation: 'read-console',
    subject: `amphora ${amphora_id}`,
    method: 'POST',
    path: `/servers/${server_id}/action`,
    body: { 'os-getConsoleOutput': { length: 50 } },
    repeatable: true,
    expect: [404, 409, 501],
  })
  return consoleEnd(text(record(body)?.output) ?? '')
}

function createAttachments(service: Service): Attachments {
  const isAttached = async (compute_id: string, port_id: string): Promise<boolean> => {
    const { status } = await service.request({
      operation: 'look-up',
      subject: `port ${port_id} of instance ${compute_id}`,
      method: 'GET',
      path: `/servers/${compute_id}/os-interface/${port_id}`,
      expect: [404],
    })
    return status !== 404
  }
  return {
    attach: async (compute_id, port_id) => {
      try {
        await service.request({
          operation: 'attach-port',
          subject: `port ${port_id} to instance ${compute_id}`,
          method: 'POST',
          path: `/servers/${compute_id}/os-interface`,
          body: { interfaceAttachment: { port_id } },
        })
      } catch (error) {
        // A try that got no answer may have plugged it in.
        if (!(error instanceof DriverError) || !(await isAttached(compute_id, port_id))) throw error
      }
    },
    detach: async (compute_id, port_id) => {
      const { status } = await service.request({
        operation: 'detach-port',
        subject: `port ${port_id} from instance ${compute_id}`,
        method: 'DELETE',
        path: `/servers/${compute_id}/os-interface/${port_id}`,
        expect: [400, 404, 409],
      })
      return status < 300
    },
  }
}
