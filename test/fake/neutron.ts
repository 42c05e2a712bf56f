/**
 * A Neutron that behaves: ports have addresses nobody else has, groups are in use, revisions
 * count, projects have quotas, users see what is theirs.
 */
import { contains, ipOf, lastAddress, parseCidr, parseIp } from '../../src/model/address.ts'
import { newId } from '../../src/system/ids.ts'
import type { FakeKeystone } from './keystone.ts'
import {
  createFakeService,
  type FakeRequest,
  type FakeService,
  json,
  thrownToo,
} from './service.ts'

// biome-ignore lint/suspicious/noExplicitAny: rows of an API, as a test looks at them
export type Row = Record<string, any>

export interface FakeNeutron extends FakeService {
  readonly networks: Map<string, Row>
  readonly subnets: Map<string, Row>
  readonly ports: Map<string, Row>
  readonly groups: Map<string, Row>
  readonly rules: Map<string, Row>
  readonly extensions: Set<string>
  /** At most so many ports. */
  quota: { ports: number; groups: number; rules: number }
  addNetwork(cidrs: readonly string[], over?: Row): Row
  addPort(values: Row): Row
  /** As Nova does it. */
  bind(port_id: string, compute_id: string): boolean
  unbind(port_id: string): void
  /** Names of everything that a load balancer may leave. */
  leftovers(): readonly string[]
}

/** As the fake Keystone knows us. */
const OWN_PROJECT = 'service'
const EXTENSIONS = [
  'allowed-address-pairs',
  'network-ip-availability',
  'port-security',
  'qos',
  'security-group',
]

export function createFakeNeutron(keystone: FakeKeystone): FakeNeutron {
  const networks = new Map<string, Row>()
  const subnets = new Map<string, Row>()
  const ports = new Map<string, Row>()
  const groups = new Map<string, Row>()
  const rules = new Map<string, Row>()
  const extensions = new Set(EXTENSIONS)
  const quota = { ports: 1_000, groups: 1_000, rules: 1_000 }
  let macs = 0

  const usedOn = (subnet_id: string): Set<string> =>
    new Set(
      [...ports.values()].flatMap((port) =>
        port.fixed_ips
          .filter((ip: Row) => ip.subnet_id === subnet_id)
          .map((ip: Row) => ip.ip_address),
      ),
    )

  const give = (network_id: string, wish: Row): Row => {
    const wanted = parseIp(wish.ip_address ?? '')
    const mine = [...subnets.values()].filter((subnet) => subnet.network_id === network_id)
    const subnet =
      wish.subnet_id === undefined
        ? mine.find(({ cidr }) => wanted === undefined || inside(cidr, wanted.text))
        : mine.find(({ id }) => id === wish.subnet_id)
    if (subnet === undefined)
      throw error(400, 'InvalidIpForNetwork', 'IP address is not valid here')
    if (wanted !== undefined) {
      if (!inside(subnet.cidr, wanted.text))
        throw error(400, 'InvalidIpForSubnet', 'IP address is not a valid IP for the subnet')
      if (usedOn(subnet.id).has(wanted.text))
        throw error(
          409,
          'IpAddressAlreadyAllocated',
          `IP address ${wanted.text} already allocated in subnet ${subnet.id}`,
        )
      return { subnet_id: subnet.id, ip_address: wanted.text }
    }
    const range = parseCidr(subnet.cidr)
    if (range === undefined) throw new Error('a cidr')
    for (let value = range.network.value + 2n; value < lastAddress(range).value; value++) {
      const { text } = ipOf(range.family, value)
      if (!usedOn(subnet.id).has(text)) return { subnet_id: subnet.id, ip_address: text }
    }
    throw error(
      409,
      'IpAddressGenerationFailure',
      `No more IP addresses available on network ${network_id}.`,
    )
  }

  const addPort = (values: Row): Row => {
    const network = networks.get(values.network_id)
    if (network === undefined)
      throw error(404, 'NetworkNotFound', `Network ${values.network_id} could not be found.`)
    if (ports.size >= quota.ports)
      throw error(409, 'OverQuota', "Quota exceeded for resources: ['port'].")
    const wishes: Row[] = values.fixed_ips ?? [{}]
    const port: Row = {
      id: newId(),
      name: '',
      project_id: OWN_PROJECT,
      admin_state_up: true,
      device_id: '',
      device_owner: '',
      mac_address: `fa:16:3e:00:00:${(++macs % 256).toString(16).padStart(2, '0')}`,
      security_groups: network.port_security_enabled ? ['default'] : [],
      port_security_enabled: network.port_security_enabled,
      allowed_address_pairs: [],
      qos_policy_id: null,
      revision_number: 1,
      ...values,
      fixed_ips: [],
    }
    const secured = port.allowed_address_pairs.length + port.security_groups.length > 0
    if (secured && !port.port_security_enabled)
      throw error(409, 'PortSecurityPortHasSecurityGroup', 'Port Security must be enabled')
    ports.set(port.id, port)
    try {
      for (const wish of wishes) port.fixed_ips.push(give(port.network_id, wish))
    } catch (thrown) {
      ports.delete(port.id)
      throw thrown
    }
    return port
  }

  const updatePort = (port: Row, changes: Row): Row => {
    if (changes.security_groups !== undefined && !port.port_security_enabled)
      throw error(409, 'PortSecurityPortHasSecurityGroup', 'Port Security must be enabled')
    for (const id of changes.security_groups ?? [])
      if (!groups.has(id) && id !== 'default')
        throw error(404, 'SecurityGroupNotFound', `Security group ${id} does not exist`)
    const { fixed_ips, ...more } = changes
    Object.assign(port, more, { revision_number: port.revision_number + 1 })
    for (const wish of fixed_ips ?? [])
      if (wish.ip_address === undefined) port.fixed_ips.push(give(port.network_id, wish))
    return port
  }

  const isUsed = (group: string): boolean =>
    [...ports.values()].some((port) => port.security_groups.includes(group))

  const tables: Record<string, Map<string, Row>> = {
    networks,
    subnets,
    ports,
    'security-groups': groups,
    'security-group-rules': rules,
    'qos/policies': new Map([['qos-1', { id: 'qos-1', project_id: OWN_PROJECT }]]),
  }

  const create = (collection: string, values: Row): Row => {
    if (collection === 'ports') return addPort(values)
    const [table, limit] =
      collection === 'security-groups' ? [groups, quota.groups] : [rules, quota.rules]
    if (table.size >= limit) throw error(409, 'OverQuota', `Quota exceeded for ${collection}.`)
    const row: Row = { id: newId(), project_id: OWN_PROJECT, ...values }
    const same = (a: Row): boolean =>
      RULE_FIELDS.every((field) => (a[field] ?? null) === (row[field] ?? null))
    if (table === rules && [...rules.values()].some(same))
      throw error(409, 'SecurityGroupRuleExists', 'Security group rule already exists.')
    table.set(row.id, row)
    if (table === groups)
      for (const ethertype of ['IPv4', 'IPv6']) {
        const id = newId()
        rules.set(id, { id, security_group_id: row.id, direction: 'egress', ethertype })
      }
    return row
  }

  const remove = (collection: string, row: Row): Response => {
    if (collection === 'security-groups') {
      if (isUsed(row.id)) throw error(409, 'SecurityGroupInUse', `Security Group ${row.id} in use.`)
      for (const rule of [...rules.values()])
        if (rule.security_group_id === row.id) rules.delete(rule.id)
    }
    tables[collection]?.delete(row.id)
    return json(204, null)
  }

  const handle = (request: FakeRequest): object | undefined => {
    const { method, path, query } = request
    if (path === '/extensions') return { extensions: [...extensions].map((alias) => ({ alias })) }
    if (path === `/quotas/${OWN_PROJECT}/details.json`)
      return {
        quota: {
          port: { limit: quota.ports, used: ports.size, reserved: 0 },
          security_group: { limit: quota.groups, used: groups.size, reserved: 0 },
        },
      }
    const [, collection = '', id] = /^\/(qos\/policies|[^/]+)(?:\/(.+))?$/.exec(path) ?? []
    if (collection === 'network-ip-availabilities') return available(id ?? '')
    const table = tables[collection]
    if (table === undefined) return undefined
    const plural = collection.replace(/^.*\//, '').replaceAll('-', '_')
    const singular = plural.replace(/ies$/, 'y').replace(/s$/, '')
    if (id === undefined && method === 'GET')
      return { [plural]: [...table.values()].filter((row) => fits(row, query)) }
    if (id === undefined)
      return json(201, { [singular]: create(collection, request.body[singular]) })
    const row = table.get(id)
    if (row === undefined || !isVisible(row, request)) return undefined
    if (method === 'DELETE') return remove(collection, row)
    if (method === 'GET') return { [singular]: row }
    const match = request.headers.get('if-match')
    if (match !== null && match !== `revision_number=${row.revision_number}`)
      throw error(412, 'RevisionNumberConstraintFailed', 'Constrained to another revision')
    return { [singular]: updatePort(row, request.body[singular]) }
  }

  /** Everybody sees what is shared and what is his. */
  const isVisible = (row: Row, { headers }: FakeRequest): boolean => {
    const project = keystone.identify(headers.get('x-auth-token') ?? '').project_id
    return project === OWN_PROJECT || row.shared === true || row.project_id === project
  }

  const available = (network_id: string): object | undefined => {
    if (!networks.has(network_id)) return undefined
    const mine = [...subnets.values()].filter((subnet) => subnet.network_id === network_id)
    const subnet_ip_availability = mine.map(({ id }) => ({
      subnet_id: id,
      total_ips: 253,
      used_ips: usedOn(id).size,
    }))
    return { network_ip_availability: { network_id, subnet_ip_availability } }
  }

  const service = createFakeService({
    ...{ keystone, type: 'network', name: 'neutron', version: '/v2.0' },
    handle: thrownToo(handle),
  })

  return Object.assign(service, {
    ...{ networks, subnets, ports, groups, rules, extensions, quota, addPort },
    addNetwork: (cidrs: readonly string[], over: Row = {}) => {
      const id = newId()
      const base = { id, project_id: OWN_PROJECT, shared: true }
      const mine = cidrs.map((cidr) => {
        const subnet = { ...base, id: newId(), name: cidr, network_id: id, cidr }
        subnets.set(subnet.id, { ...subnet, gateway_ip: null, host_routes: [], ...over })
        return subnet.id
      })
      const network = { ...base, name: 'net', mtu: 1450, port_security_enabled: true, ...over }
      networks.set(id, { ...network, id, subnets: mine })
      return networks.get(id) ?? {}
    },
    bind: (port_id: string, compute_id: string) => {
      const port = ports.get(port_id)
      if (port === undefined) return false
      updatePort(port, { device_id: compute_id, device_owner: 'compute:nova' })
      return true
    },
    unbind: (port_id: string) => {
      const port = ports.get(port_id)
      if (port !== undefined) updatePort(port, { device_id: '', device_owner: '' })
    },
    leftovers: () =>
      [...ports.values(), ...groups.values()].map(({ name }) => String(name)).toSorted(),
  })
}

const RULE_FIELDS = [
  'security_group_id',
  'direction',
  'ethertype',
  'protocol',
  'port_range_min',
  'port_range_max',
  'remote_ip_prefix',
  'remote_group_id',
]

function inside(cidr: string, address: string): boolean {
  const [range, ip] = [parseCidr(cidr), parseIp(address)]
  return range !== undefined && ip !== undefined && contains(range, ip)
}

function fits(row: Row, query: URLSearchParams): boolean {
  return [...query].every(([name, value]) =>
    name === 'security_groups' ? row[name]?.includes(value) : String(row[name] ?? '') === value,
  )
}

function error(status: number, type: string, message: string): Response {
  return json(status, { NeutronError: { type, message, detail: '' } })
}
