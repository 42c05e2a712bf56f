/**
 * Neutron's API as far as it is used: what is asked and what of the answers is read. Decides
 * nothing.
 */
import { DriverError } from '../error.ts'
import type { FixedIp, Network, Port, Subnet } from '../network.ts'
import { type JsonRecord, number, record, records, text, texts } from './json.ts'
import type { Service } from './service.ts'

export interface NeutronPort extends Port {
  readonly project_id: string
  readonly admin_state_up: boolean
  readonly security_groups: readonly string[]
  readonly port_security_enabled: boolean
  readonly qos_policy_id: string | null
  /** Addresses that are allowed besides its own. */
  readonly allowed_addresses: readonly string[]
}

export interface GroupRuleRow {
  readonly id: string
  readonly direction: string
  readonly ethertype: string
  readonly protocol: string | null
  readonly port_range_min: number | null
  readonly port_range_max: number | null
  readonly remote_ip_prefix: string | null
  readonly remote_group_id: string | null
}

/** For errors: what is done to what. */
export interface Doing {
  readonly operation: string
  readonly subject: string
}

export type Collection =
  | 'networks'
  | 'subnets'
  | 'ports'
  | 'security-groups'
  | 'security-group-rules'
  | 'qos/policies'
  | 'network-ip-availabilities'

export interface Neutron {
  /** undefined for what is not there, or not visible to the holder of `token`. */
  find(collection: Collection, id: string, token?: string | null): Promise<JsonRecord | undefined>
  list(
    collection: Collection,
    filter: Readonly<Record<string, string>>,
    doing: Doing,
  ): Promise<readonly JsonRecord[]>
  create(collection: Collection, values: object, doing: Doing): Promise<JsonRecord>
  /** undefined when it is gone; with `revision` refused with 412 when it was changed meanwhile. */
  update(
    collection: Collection,
    id: string,
    changes: object,
    doing: Doing,
    revision?: number,
  ): Promise<JsonRecord | undefined>
  /** Success when it is gone already. */
  remove(collection: Collection, id: string, doing: Doing): Promise<void>
  /** Whether Neutron has this extension; asked once. */
  has(extension: string): Promise<boolean>
}

/** Pages of a list, where the operator has limited them. */
const PAGES_MAX = 200

export function createNeutron(service: Service): Neutron {
  let extensions: Promise<ReadonlySet<string>> | undefined

  const list: Neutron['list'] = async (collection, filter, doing) => {
    const found: JsonRecord[] = []
    let marker: string | undefined
    for (let page = 0; page < PAGES_MAX; page++) {
      const query = new URLSearchParams(marker === undefined ? filter : { ...filter, marker })
      const path = `/${collection}?${query}`
      const { body } = await service.request({ ...doing, method: 'GET', path })
      const plural = keyOf(collection)
      found.push(...records(record(body)?.[plural]))
      const next = records(record(body)?.[`${plural}_links`]).find((link) => link.rel === 'next')
      if (next === undefined) return found
      marker = text(found.at(-1)?.id)
    }
    throw new DriverError({
      ...doing,
      reason: `Neutron has more than ${PAGES_MAX} pages of ${collection}`,
      hint: 'raise its pagination_max_limit',
      retryable: false,
    })
  }

  return {
    list,
    find: async (collection, id, token = null) => {
      const { status, body } = await service.request({
        operation: 'look-up',
        subject: `${singularOf(collection)} ${id}`,
        method: 'GET',
        path: pathOf(collection, id),
        expect: [404],
        ...(token === null ? {} : { token }),
      })
      return status === 404 ? undefined : record(record(body)?.[singularOf(collection)])
    },
    create: async (collection, values, doing) => {
      const singular = singularOf(collection)
      const path = `/${collection}`
      const sent = { ...doing, path, body: { [singular]: values } }
      const { body } = await service.request({ ...sent, method: 'POST' })
      return record(record(body)?.[singular]) ?? {}
    },
    update: async (collection, id, changes, doing, revision) => {
      const singular = singularOf(collection)
      const headers = revision === undefined ? {} : { 'if-match': `revision_number=${revision}` }
      const body = { [singular]: changes }
      const sent = { ...doing, path: pathOf(collection, id), body, headers }
      const answer = await service.request({ ...sent, method: 'PUT', expect: [404] })
      return answer.status === 404 ? undefined : record(record(answer.body)?.[singular])
    },
    remove: async (collection, id, doing) => {
      const path = pathOf(collection, id)
      await service.request({ ...doing, method: 'DELETE', path, expect: [404] })
    },
    has: async (extension) => {
      extensions ??= askExtensions(service)
      try {
        return (await extensions).has(extension)
      } catch (error) {
        extensions = undefined
        throw error
      }
    },
  }
}

async function askExtensions(service: Service): Promise<ReadonlySet<string>> {
  const doing = { operation: 'look-up', subject: 'extensions' }
  const { body } = await service.request({ ...doing, method: 'GET', path: '/extensions' })
  return new Set(records(record(body)?.extensions).flatMap(({ alias }) => text(alias) ?? []))
}

function pathOf(collection: Collection, id: string): string {
  return `/${collection}/${encodeURIComponent(id)}`
}

function keyOf(collection: Collection): string {
  return collection.replace(/^.*\//, '').replaceAll('-', '_')
}

function singularOf(collection: Collection): string {
  return keyOf(collection).replace(/ies$/, 'y').replace(/s$/, '')
}

export function toNetwork(row: JsonRecord): Network {
  return {
    id: text(row.id) ?? '',
    name: text(row.name) ?? '',
    mtu: number(row.mtu) ?? 1500,
    subnet_ids: texts(row.subnets),
    port_security_enabled: row.port_security_enabled !== false,
  }
}

export function toSubnet(row: JsonRecord): Subnet {
  return {
    id: text(row.id) ?? '',
    name: text(row.name) ?? '',
    network_id: text(row.network_id) ?? '',
    cidr: text(row.cidr) ?? '',
    gateway_ip: text(row.gateway_ip) ?? null,
    host_routes: records(row.host_routes).map(({ destination, nexthop }) => ({
      destination: text(destination) ?? '',
      nexthop: text(nexthop) ?? '',
    })),
  }
}

/** Without what only a driver of Neutron knows of ports. */
export function toPort(row: JsonRecord): Port {
  return {
    id: text(row.id) ?? '',
    name: text(row.name) ?? '',
    network_id: text(row.network_id) ?? '',
    mac_address: text(row.mac_address) ?? '',
    device_id: text(row.device_id) ?? '',
    device_owner: text(row.device_owner) ?? '',
    fixed_ips: records(row.fixed_ips).map(toFixedIp),
  }
}

export function toNeutronPort(row: JsonRecord): NeutronPort {
  return {
    ...toPort(row),
    project_id: text(row.project_id) ?? text(row.tenant_id) ?? '',
    admin_state_up: row.admin_state_up !== false,
    security_groups: texts(row.security_groups),
    port_security_enabled: row.port_security_enabled !== false,
    qos_policy_id: text(row.qos_policy_id) ?? null,
    allowed_addresses: records(row.allowed_address_pairs).flatMap(
      ({ ip_address }) => text(ip_address) ?? [],
    ),
  }
}

function toFixedIp({ subnet_id, ip_address }: JsonRecord): FixedIp {
  return { subnet_id: text(subnet_id) ?? '', ip_address: text(ip_address) ?? '' }
}

export function toGroupRule(row: JsonRecord): GroupRuleRow {
  return {
    id: text(row.id) ?? '',
    direction: text(row.direction) ?? '',
    ethertype: text(row.ethertype) ?? '',
    protocol: text(row.protocol) ?? null,
    port_range_min: number(row.port_range_min) ?? null,
    port_range_max: number(row.port_range_max) ?? null,
    remote_ip_prefix: text(row.remote_ip_prefix) ?? null,
    remote_group_id: text(row.remote_group_id) ?? null,
  }
}
