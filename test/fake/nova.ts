/**
 * A Nova that behaves: servers take a few looks to boot, have ports on their networks, and let go
 * of a port some time after they were told to; with the Glance and Cinder it boots from.
 */
import { newId } from '../../src/system/ids.ts'
import type { FakeKeystone } from './keystone.ts'
import type { FakeNeutron, Row } from './neutron.ts'
import {
  createFakeService,
  type FakeRequest,
  type FakeService,
  json,
  thrownToo,
} from './service.ts'

export interface FakeNova extends FakeService {
  readonly servers: Map<string, Row>
  readonly groups: Map<string, Row>
  readonly flavors: Set<string>
  readonly zones: Set<string>
  readonly keypairs: Set<string>
  /** Servers that our project may have. */
  servers_max: number
  /** Looks until a new server is ACTIVE. */
  boots: number
  /** No host takes a new server. */
  full: boolean
  console: string
  leftovers(): readonly string[]
}

/** Limits of Nova's default quotas. */
const FILES_MAX = 5
const FILE_BYTES_MAX = 10_240
const METADATA_MAX = 128

export function createFakeNova(keystone: FakeKeystone, neutron: FakeNeutron): FakeNova {
  const servers = new Map<string, Row>()
  const groups = new Map<string, Row>()
  const flavors = new Set(['amphora', 'big'])
  const zones = new Set(['nova', 'other'])
  const keypairs = new Set<string>()
  let created = 0

  const boot = (body: Row): object => {
    const { server: asked, 'os:scheduler_hints': hints } = body
    if (!flavors.has(asked.flavorRef))
      throw fault(400, 'badRequest', `Flavor ${asked.flavorRef} could not be found.`)
    const files: Row[] = asked.personality ?? []
    const sizes = files.map(({ contents }) => Buffer.from(contents, 'base64').length)
    if (files.length > FILES_MAX || sizes.some((size) => size > FILE_BYTES_MAX))
      throw fault(403, 'forbidden', 'Quota exceeded for injected files')
    const texts = Object.values(asked.metadata ?? {})
    if (texts.length > METADATA_MAX || texts.some((text) => String(text).length > 255))
      throw fault(400, 'badRequest', 'Invalid metadata')
    if (hints?.group !== undefined && !groups.has(hints.group))
      throw fault(400, 'badRequest', `Instance group ${hints.group} could not be found.`)
    const id = newId()
    servers.set(id, {
      ...asked,
      id,
      status: 'BUILD',
      boots: nova.boots,
      flavor: { id: asked.flavorRef },
      image: asked.imageRef === '' ? '' : { id: asked.imageRef },
      created: new Date(++created * 1000).toISOString(),
      'OS-EXT-AZ:availability_zone': asked.availability_zone ?? 'nova',
      'OS-EXT-STS:task_state': 'spawning',
    })
    return json(202, { server: { id } })
  }

  /** Looking at it is what lets it get on. */
  const looked = (server: Row): Row => {
    if (server.status !== 'BUILD' || server.boots-- > 0) return server
    if (nova.full)
      return Object.assign(server, {
        status: 'ERROR',
        fault: {
          code: 500,
          message: 'No valid host was found. There are not enough hosts available.',
        },
      })
    for (const { uuid } of server.networks ?? [])
      neutron.addPort({ network_id: uuid, device_id: server.id, device_owner: 'compute:nova' })
    return Object.assign(server, { status: 'ACTIVE', 'OS-EXT-STS:task_state': null })
  }

  const portsOf = (server_id: string): Row[] =>
    [...neutron.ports.values()].filter((port) => port.device_id === server_id)

  const attach = (server: Row, port_id: string): object => {
    const port = neutron.ports.get(port_id)
    if (port === undefined) throw fault(404, 'itemNotFound', `Port ${port_id} could not be found.`)
    if (server.status !== 'ACTIVE')
      throw fault(409, 'conflictingRequest', `Cannot 'attach_interface' in ${server.status}`)
    if (port.device_id !== '') throw fault(409, 'conflictingRequest', `Port ${port_id} is in use`)
    neutron.bind(port_id, server.id)
    return { interfaceAttachment: { port_id, net_id: port.network_id } }
  }

  const detach = (server: Row, port_id: string): object | undefined => {
    if (!portsOf(server.id).some(({ id }) => id === port_id)) return undefined
    neutron.unbind(port_id)
    return json(202, null)
  }

  const remove = (server: Row): Response => {
    for (const port of portsOf(server.id))
      if (port.name === '') neutron.ports.delete(port.id)
      else neutron.unbind(port.id)
    servers.delete(server.id)
    return json(204, null)
  }

  const interfaces = (server: Row): object => ({
    interfaceAttachments: portsOf(server.id).map((port) => ({
      port_id: port.id,
      net_id: port.network_id,
      fixed_ips: port.fixed_ips,
    })),
  })

  const ofServer = (id: string, rest: string, request: FakeRequest): object | undefined => {
    const server = servers.get(id)
    if (server === undefined) return undefined
    const { method, body } = request
    if (rest === '') return method === 'DELETE' ? remove(server) : { server }
    if (rest === '/action') return { output: nova.console }
    if (rest === '/os-interface' && method === 'GET') return interfaces(server)
    if (rest === '/os-interface') return attach(server, body.interfaceAttachment.port_id)
    const port_id = rest.replace('/os-interface/', '')
    if (method === 'DELETE') return detach(server, port_id)
    return portsOf(id).some((port) => port.id === port_id) ? {} : undefined
  }

  const handle = (request: FakeRequest): object | undefined => {
    const { method, path, query, body } = request
    if (path === '/servers/detail') {
      const name = new RegExp(query.get('name') ?? '')
      const found = [...servers.values()].filter((row) => name.test(row.name)).map(looked)
      // As Nova, which does not look for faults in the cell of servers without a host.
      return { servers: found.map(({ fault: _, ...row }) => row) }
    }
    if (path === '/servers') return boot(body)
    const [, id, rest = ''] = /^\/servers\/([^/]+)(\/.*)?$/.exec(path) ?? []
    if (id !== undefined) return ofServer(id, rest, request)
    if (path === '/os-availability-zone') return zonesBody(zones)
    if (path.startsWith('/flavors/')) return flavors.has(path.slice(9)) ? {} : undefined
    if (path.startsWith('/os-keypairs/'))
      return keypairs.has(path.slice('/os-keypairs/'.length)) ? {} : undefined
    if (path === '/os-quota-sets/service/detail')
      return { quota_set: { instances: { limit: nova.servers_max, in_use: servers.size } } }
    if (path === '/os-server-groups' && method === 'GET')
      return { server_groups: [...groups.values()] }
    if (path === '/os-server-groups') {
      const group: Row = { id: newId(), ...body.server_group }
      groups.set(group.id, group)
      return { server_group: group }
    }
    return groups.delete(path.slice('/os-server-groups/'.length)) ? json(204, null) : undefined
  }

  const service = createFakeService({
    ...{ keystone, type: 'compute', name: 'nova', version: '/v2.1', versionInCatalog: true },
    handle: thrownToo(handle),
  })
  const nova: FakeNova = Object.assign(service, {
    ...{
      servers,
      groups,
      flavors,
      zones,
      keypairs,
      servers_max: 10,
      boots: 2,
      full: false,
      console: '',
    },
    leftovers: () =>
      [...servers.values(), ...groups.values()].map(({ name }) => String(name)).toSorted(),
  })
  return nova
}

export interface FakeGlance extends FakeService {
  /** Oldest first. */
  readonly images: Row[]
}

export function createFakeGlance(keystone: FakeKeystone): FakeGlance {
  const images: Row[] = [{ id: 'image-1', tags: ['amphora'], owner: 'service', status: 'active' }]
  const service = createFakeService({
    ...{ keystone, type: 'image', name: 'glance', version: '/v2' },
    handle: ({ query }) => ({
      images: images
        .filter((row) => row.tags.includes(query.get('tag')) && row.status === query.get('status'))
        .filter((row) => query.get('owner') === null || row.owner === query.get('owner'))
        .toReversed()
        .slice(0, Number(query.get('limit'))),
    }),
  })
  return Object.assign(service, { images })
}

export interface FakeCinder extends FakeService {
  readonly volumes: Map<string, Row>
  /** Looks until a new volume can be used. */
  copies: number
  /** So many new volumes end in error. */
  broken: number
}

export function createFakeCinder(keystone: FakeKeystone): FakeCinder {
  const volumes = new Map<string, Row>()
  const looked = (volume: Row): Row => {
    if (volume.status === 'downloading' && volume.copies-- <= 0)
      volume.status = cinder.broken-- > 0 ? 'error' : 'available'
    return volume
  }
  const handle = ({ method, path, query, body }: FakeRequest): object | undefined => {
    if (path === '/os-availability-zone') return zonesBody(new Set(['nova']))
    if (path === '/volumes/detail')
      return {
        volumes: [...volumes.values()]
          .filter(({ name }) => name === (query.get('name') ?? name))
          .map(looked),
      }
    if (method === 'POST') {
      const volume = { id: newId(), status: 'downloading', copies: cinder.copies, ...body.volume }
      volumes.set(volume.id, volume)
      return json(202, { volume })
    }
    return volumes.delete(path.slice('/volumes/'.length)) ? json(202, {}) : undefined
  }
  const service = createFakeService({
    ...{ keystone, type: 'volumev3', name: 'cinderv3', version: '/v3', handle },
  })
  const cinder: FakeCinder = Object.assign(service, { volumes, copies: 2, broken: 0 })
  return cinder
}

function zonesBody(zones: ReadonlySet<string>): object {
  return { availabilityZoneInfo: [...zones].map((zoneName) => ({ zoneName })) }
}

function fault(status: number, kind: string, message: string): Response {
  return json(status, { [kind]: { code: status, message } })
}
